import { type ErrorCode, isRelayError, type RelayError } from '@liaison/protocol'
import type { Test } from 'tap'

/** Asserts that a promise fails with exactly this code, and gives the error for further checks. */
export async function rejectsWithCode(
  t: Test,
  promise: Promise<unknown>,
  code: ErrorCode,
  message = `rejects with ${code}`,
): Promise<RelayError | undefined> {
  try {
    await promise
  } catch (error) {
    if (!isRelayError(error)) throw error
    t.equal(error.code, code, message)
    return error
  }
  t.fail(`${message}: it succeeded`)
  return undefined
}
