import { createHash } from 'node:crypto'
import type { NetworkId } from '@liaison/protocol'
import { redisKeys } from './redis-keys.ts'

/**
 * Commands of a relay's user, on the keys of its network only. Commands inside a function are checked
 * against the rights of the user that calls it, so what the functions do is in the list too. Whatever
 * deletes, trims, lists keys, runs scripts or changes the server is not; see
 * {@link relayListCommands} for the one exception.
 */
export const relayCommands: readonly string[] = [
  'fcall',
  'fcall_ro',
  'hget',
  'hmget',
  'hgetall',
  'hexists',
  'hkeys',
  'hset',
  'hincrby',
  'xadd',
  'xrange',
  'xrevrange',
  'xread',
  'wait',
  'role',
  'client|setname',
]

/** Only on the list of live relays: nothing else is ever taken away. */
export const relayListCommands: readonly string[] = ['hdel']

/** Commands of the inspector, which touches no key: what the check of the profile at start asks. */
export const inspectorCommands: readonly string[] = ['config|get', 'info', 'client|setname']

/** A user for which a line is written. */
export interface AclUser {
  readonly name: string
  /** Clear text; only its SHA-256 goes into the line. Null leaves a place for it. */
  readonly password: string | null
}

/** What stands where a password is not known; the server refuses a file with it. */
const placeholder = '#SHA256_OF_PASSWORD'

const granted = (commands: readonly string[]): string =>
  ['-@all', ...commands.map((command) => `+${command}`)].join(' ')

function line({ name, password }: AclUser, rights: string): string {
  const secret =
    password === null ? placeholder : `#${createHash('sha256').update(password).digest('hex')}`
  return `user ${name} reset on ${secret} ${rights}`
}

/** Line of a relay's user in the ACL file of the server. */
export function relayAclLine(user: AclUser, net: NetworkId): string {
  const { prefix, relays } = redisKeys(net)
  const list = `(~${relays} ${granted(relayListCommands)})`
  return line(user, `~${prefix}* ${granted(relayCommands)} ${list}`)
}

/** Line of the inspector. */
export const inspectorAclLine = (user: AclUser): string => line(user, granted(inspectorCommands))
