/**
 * Runs one relay with the options in its environment until it is told to end. For a machine that has
 * the relay and nothing else of Liaison: `liaison relay serve` needs the SDK, which can open reports.
 */
import { isRelayError } from '@liaison/protocol'
import { startRelay } from './app.ts'
import { ConfigError, type RelayConfig, readConfig } from './config.ts'
import { configFromEnvironment, variableOf } from './config-env.ts'

/** Exit code of a configuration that cannot be used (EX_CONFIG of sysexits.h). */
const configExit = 78

/** Codes that only a person can do something about. */
const notStarted: ReadonlySet<string> = new Set(['config_invalid', 'store_mismatch', 'log_corrupt'])

function refuse(error: unknown): never {
  if (error instanceof ConfigError) {
    for (const { option, problem } of error.problems) {
      console.error(`${option.split(', ').map(variableOf).join(', ')}: ${problem}`)
    }
    process.exit(configExit)
  }
  if (isRelayError(error) && notStarted.has(error.code)) {
    console.error(`${error.code}: ${error.detail ?? error.message}`)
    process.exit(configExit)
  }
  throw error
}

function configOrEnd(): RelayConfig {
  try {
    return readConfig(configFromEnvironment())
  } catch (error) {
    return refuse(error)
  }
}

const relay = await startRelay(configOrEnd()).catch(refuse)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void relay.stop())
}
