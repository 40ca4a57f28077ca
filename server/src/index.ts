/** The relay of one network. It carries, orders, keeps and delivers envelopes; it cannot open them. */
export { type Overrides, type RunningRelay, startRelay } from './app.ts'
export { type BackupFile, type BackupManifest, checkBackup } from './backup/manifest.ts'
export {
  type BackupText,
  backupRelay,
  inNewFolder,
  writeNew,
} from './backup/relay-backup.ts'
export { restoreIntoRedis, restoreStore } from './backup/restore.ts'
export {
  ConfigError,
  type ConfigInput,
  type ConfigProblem,
  type Listen,
  type RelayConfig,
  readConfig,
  readGenesis,
} from './config.ts'
export { configFromEnvironment, variableOf } from './config-env.ts'
export { fileProblems } from './config-files.ts'
export { readRedisOptions } from './config-redis.ts'
export { networkIdOfGenesis } from './directory/genesis.ts'
export { relayLimits } from './limits.ts'
export { type LmdbLogOptions, openLmdbLog } from './log/lmdb-log.ts'
export { type OpenLogOptions, openLog } from './log/open-log.ts'
export {
  type AclUser,
  inspectorAclLine,
  inspectorCommands,
  relayAclLine,
  relayCommands,
  relayListCommands,
} from './log/redis/acl.ts'
export { type Installed, installRedis, redisInstallation } from './log/redis/install.ts'
export {
  type RedisNode,
  type RedisOptions,
  type RedisProfile,
  type RedisTls,
  type RedisUser,
  redisLimits,
} from './log/redis/redis-options.ts'
export { openRedisLog, type RedisLogOptions } from './log/redis-log.ts'
export type {
  AcceptedPlace,
  AcceptOutcome,
  AcceptRequest,
  ChainHead,
  LeafPlace,
  LogListener,
  RelayLog,
  StoredAck,
  StoredEnvelope,
} from './log/relay-log.ts'
export type { Holder, Renewal, ViewLeases } from './log/view-leases.ts'
export { createLogger } from './logger.ts'
