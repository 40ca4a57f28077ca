/**
 * Sets a network up on Redis with the options in its environment and ends: what
 * `liaison relay init-redis` does, for a machine that has the relay and nothing else of Liaison. User and
 * password are those of the operator. Doing it again changes nothing.
 */
import { isRelayError } from '@liaison/protocol'
import { ConfigError, readConfig, readGenesis } from './config.ts'
import { configFromEnvironment, variableOf } from './config-env.ts'
import { readRedisOptions } from './config-redis.ts'
import { networkIdOfGenesis } from './directory/genesis.ts'
import { installRedis } from './log/redis/install.ts'

/** Exit code of a configuration that cannot be used (EX_CONFIG of sysexits.h). */
const configExit = 78

try {
  // The keys of a relay are not needed.
  const { redis, network } = readConfig({ keys: 'not-needed', ...configFromEnvironment() })
  if (redis === undefined) {
    throw new ConfigError([{ option: 'store', problem: 'must be redis' }])
  }
  const net = networkIdOfGenesis(await readGenesis(network))
  const { library, prefix } = await installRedis(await readRedisOptions(redis), net)
  process.stdout.write(`${JSON.stringify({ library, prefix })}\n`)
} catch (error) {
  if (error instanceof ConfigError) {
    for (const { option, problem } of error.problems) {
      const names = option.split(', ').map(variableOf).join(', ')
      process.stderr.write(`${names}: ${problem}\n`)
    }
    process.exit(configExit)
  }
  if (!isRelayError(error)) throw error
  process.stderr.write(`${error.code}: ${error.detail ?? error.message}\n`)
  process.exit(error.code === 'log_unavailable' ? 1 : configExit)
}
