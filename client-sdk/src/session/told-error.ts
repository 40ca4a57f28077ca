import { codeOfNumber, isErrorCode, RelayError, type RelayFrame } from '@liaison/protocol'
import type { CloseInfo } from './transport.ts'

/**
 * What the other end has said, in an error frame or as the reason of a close. Nothing signs it: on a
 * link without TLS anybody on the way may have said it.
 */
export class ToldError extends RelayError {}

/** What an error frame says, as something that can be thrown. */
export const errorOfFrame = (frame: Extract<RelayFrame, { kind: 'error' }>): RelayError =>
  new ToldError(codeOfNumber(frame.code), {
    ...(frame.retryAfterMs > 0 ? { retryAfterMs: frame.retryAfterMs } : {}),
  })

/** Why a socket was closed. */
export const errorOfClose = (info: CloseInfo): RelayError =>
  isErrorCode(info.reason)
    ? new ToldError(info.reason)
    : new RelayError('offline', { detail: `closed with ${info.code}` })
