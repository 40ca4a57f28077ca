import { type Result, randomBytes, sodium } from '@liaison/protocol/internal'
import { type Sealed, type SealInput, sealWithKey } from './seal-with-key.ts'

const messageKeyBytes = 32

/**
 * Seals a validated body for exactly the given recipients under a new message key, which is made
 * here and wiped before the call returns.
 *
 * @returns The envelope and its core hash; `content_too_large` or `payload_too_large` otherwise.
 */
export function sealEnvelope(
  input: SealInput,
): Result<Sealed, 'content_too_large' | 'payload_too_large'> {
  const messageKey = randomBytes(messageKeyBytes)
  try {
    return sealWithKey(messageKey, input)
  } finally {
    sodium().memzero(messageKey)
  }
}
