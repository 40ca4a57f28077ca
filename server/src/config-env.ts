import type { ConfigInput } from './config.ts'
import { configOptions } from './config-schema.ts'

/** `operatorPort` is `LIAISON_RELAY_OPERATOR_PORT`. */
export const variableOf = (option: string): string =>
  `LIAISON_RELAY_${option.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase()}`

/** The options that the environment names; secrets are never among them, only paths of their files. */
export function configFromEnvironment(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ConfigInput {
  const input: Record<string, string> = {}
  for (const option of configOptions) {
    const value = environment[variableOf(option)]
    if (value !== undefined) input[option] = value
  }
  return input
}
