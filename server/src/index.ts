/** The relay of one network. It carries, orders, keeps and delivers envelopes; it cannot open them. */
export { type Overrides, type RunningRelay, startRelay } from './app.ts'
export {
  ConfigError,
  type ConfigInput,
  type ConfigProblem,
  type Listen,
  type RelayConfig,
  readConfig,
} from './config.ts'
export { configFromEnvironment, variableOf } from './config-env.ts'
export { relayLimits } from './limits.ts'
export { type LmdbLogOptions, openLmdbLog } from './log/lmdb-log.ts'
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
export { createLogger } from './logger.ts'
