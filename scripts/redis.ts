/** The server that the tests of the shared store start themselves; one that runs already is left alone. */
import { delimiter, dirname } from 'node:path'
import { ensurePart, type SystemPart } from './system-part.ts'

/** Redis as Debian has it: the program is needed, its service is not. */
export const redisPart: SystemPart = {
  title: 'Redis (redis-server 7 or newer)',
  programs: ['redis-server'],
  variable: 'LIAISON_REDIS_SERVER',
  package: 'redis-server',
  unpacks: true,
}

/** Installs Redis if it is missing and that is allowed, and puts it on the path of what we start. */
export async function ensureRedis(): Promise<void> {
  const found = await ensurePart(redisPart)
  if (found === null) return
  const path = process.env['PATH'] ?? ''
  if (path.split(delimiter).includes(dirname(found))) return
  process.env['PATH'] = `${dirname(found)}${delimiter}${path}`
}
