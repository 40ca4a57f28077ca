import type { RedisNode } from './log/redis/redis-options.ts'

/** Whether a host is this machine and no other can listen in. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host.startsWith('127.')

/** The parts of `host:port` or `[address]:port`; null when it is neither. */
export function parseNode(text: string): RedisNode | null {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  return host === undefined || port < 1 || port > 65_535 ? null : { host, port }
}

/** Whether a text is the address of a server. */
export const isNode = (text: string): boolean => parseNode(text) !== null
