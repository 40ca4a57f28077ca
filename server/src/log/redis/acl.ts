import { createHash } from 'node:crypto'
import type { NetworkId } from '@liaison/protocol'
import { redisKeys } from './redis-keys.ts'

/**
 * Commands of a relay's user, on the keys of its network only. Commands inside a function are checked
 * against the rights of the user that calls it, so what the functions do is in the list too. Whatever
 * deletes, trims, lists keys, runs scripts or changes the server is not.
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
  'hdel',
  'xadd',
  'xrange',
  'xrevrange',
  'xread',
  'wait',
  'role',
  'client|setname',
]

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

function line(user: AclUser, keys: string, commands: readonly string[]): string {
  const { name, password } = user
  const secret =
    password === null ? placeholder : `#${createHash('sha256').update(password).digest('hex')}`
  const rights = commands.map((command) => `+${command}`).join(' ')
  return `user ${name} reset on ${secret} ${keys}-@all ${rights}`
}

/** Line of a relay's user in the ACL file of the server. */
export const relayAclLine = (user: AclUser, net: NetworkId): string =>
  line(user, `~${redisKeys(net).prefix}* `, relayCommands)

/** Line of the inspector. */
export const inspectorAclLine = (user: AclUser): string => line(user, '', inspectorCommands)
