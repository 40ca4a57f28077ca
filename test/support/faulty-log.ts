import { RelayError } from '@liaison/protocol'
import type { RelayLog } from '@liaison/server'

/** How the next write ends: well, or with an error before or after it was kept. */
export type Fault = 'none' | 'not-kept' | 'kept'

/** Methods that write. */
const writes = ['accept', 'appendDirectory', 'appendAck', 'appendLeaf', 'putBlob'] as const

/** Names of the methods that write. */
export type WriteMethod = (typeof writes)[number]

/** A log that fails on demand, in the two ways in which a disk can. */
export interface FaultyLog extends RelayLog {
  /** The next call of a method fails so; later ones succeed. */
  failNext(method: WriteMethod, fault: Fault): void
}

/** Wraps a log. */
export function faultyLog(log: RelayLog): FaultyLog {
  const next = new Map<PropertyKey, Fault>()
  const isWrite = (name: PropertyKey): boolean => (writes as readonly PropertyKey[]).includes(name)
  return new Proxy(log, {
    get(target, name) {
      if (name === 'failNext') {
        return (method: WriteMethod, fault: Fault) => void next.set(method, fault)
      }
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (!isWrite(name)) return value.bind(target)
      return async (...args: unknown[]): Promise<unknown> => {
        const fault = next.get(name) ?? 'none'
        next.delete(name)
        if (fault === 'not-kept') throw new RelayError('log_unavailable')
        const result: unknown = await Reflect.apply(value, target, args)
        if (fault === 'kept') throw new RelayError('log_unavailable')
        return result
      }
    },
  }) as FaultyLog
}
