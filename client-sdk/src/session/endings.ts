import { errorRow, isRelayError, RelayError } from '@liaison/protocol'
import { clientLimits } from './limits.ts'
import { ToldError } from './told-error.ts'

/** What was thrown, as one of ours. */
export const asRelayError = (error: unknown): RelayError =>
  isRelayError(error) ? error : new RelayError('internal', { cause: error })

/**
 * Decides whether a session goes on after a link has ended. What this device found out by itself ends
 * it when trying again cannot help. What it was only told does so at once under TLS, where nobody but
 * the relay can have said it; on a plain link it must be told several times in a row.
 */
export class Endings {
  readonly #authenticated: boolean
  #told = ''
  #times = 0

  /** @param url Address of the relay. */
  constructor(url: string) {
    this.#authenticated = new URL(url).protocol === 'wss:'
  }

  /** Whether this end of a link is the end of the session. To be asked once for each link. */
  isFinal(error: RelayError): boolean {
    const { code } = error
    const never =
      errorRow(code).retry === 'never' && code !== 'session_closed' && code !== 'cancelled'
    if (never && (this.#authenticated || !(error instanceof ToldError))) return true
    this.#times = never && this.#told === code ? this.#times + 1 : 1
    this.#told = never ? code : ''
    return never && this.#times >= clientLimits.toldEndsMin
  }

  /** A connection lasted: what was told before it does not count. */
  forget(): void {
    this.#told = ''
  }
}
