import {
  type Clock,
  codeOfNumber,
  type Directory,
  decodeReceipt,
  type ErrorCode,
  errorRow,
  type SigningKey,
} from '@liaison/protocol'
import { isLinkTrouble } from '../inbox/ack-queue.ts'
import type { EpochKeys } from '../keys/epoch-keys.ts'
import { asRelayError } from './endings.ts'
import type { Link } from './link.ts'

/** Silence of all feeds after which this device counts as caught up, ms. */
const quietMs = 60_000

/** What the care for keys needs. */
export interface KeyCareDeps {
  readonly epochs: EpochKeys
  readonly directory: Directory
  readonly device: number
  readonly key: SigningKey
  /** This machine's own clock. */
  readonly machineClock: Clock
  /** Time that signed entries prove too. */
  readonly clock: Clock
  readonly syncDirectory: (link: Link) => Promise<void>
  readonly isOnline: () => boolean
}

/** Publishes this device's weekly keys ahead, and destroys them when their time is over. */
export class KeyCare {
  readonly #deps: KeyCareDeps
  /** Runs out when nothing was delivered for a while. */
  #quiet: ReturnType<typeof setTimeout> | undefined
  #closed = false

  constructor(deps: KeyCareDeps) {
    this.#deps = deps
  }

  /** What became of the secret half of the key that others seal to now; null when none is published. */
  async presentKey(): Promise<'here' | 'destroyed' | 'unknown' | null> {
    const { directory, device, clock, epochs } = this.#deps
    const kid = directory.kidFor(device, clock())
    return kid === null ? null : (await epochs.secretFor(kid)).kind
  }

  /**
   * By this machine's own clock: what is destroyed cannot be had again, and a single entry with a date
   * in the future, from a stolen device through a relay that lies, must not destroy everybody's keys.
   */
  async destroyDue(caughtUp: boolean): Promise<void> {
    const { directory, epochs, machineClock } = this.#deps
    await epochs.destroyDue(directory, machineClock(), caughtUp)
  }

  /** After a quiet minute on a live connection nothing sealed for old keys is still to come. */
  heardDelivery(): void {
    clearTimeout(this.#quiet)
    if (this.#closed) return
    this.#quiet = setTimeout(() => {
      if (this.#deps.isOnline()) this.destroyDue(true).catch(() => undefined)
    }, quietMs)
  }

  /**
   * Publishes key weeks that are missing.
   *
   * @param replace All coming weeks, whether missing or not.
   * @returns why the relay refused them, or null
   */
  async renew(link: Link, replace: boolean): Promise<ErrorCode | null> {
    const { epochs, directory, device, key, clock } = this.#deps
    const renewal = await epochs.renew(directory, device, key, clock(), replace)
    if (renewal === null) return null
    const blobs = renewal.publicKeys.map((k) => ['key', k] as const)
    let receipts: readonly Uint8Array[]
    try {
      await link.request({ kind: 'blob-put', blobs }, 'blobs')
      ;({ receipts } = await link.request({ kind: 'append', entry: renewal.entry }, 'result'))
    } catch (error) {
      // "Later" holds for the keys alone: with those of before, the session goes on.
      const known = asRelayError(error)
      if (isLinkTrouble(known) || errorRow(known.code).retry !== 'later') throw error
      return known.code
    }
    const receipt = decodeReceipt(receipts[0] ?? new Uint8Array())
    if (!receipt.ok) return 'receipt_invalid'
    await this.#deps.syncDirectory(link)
    return receipt.value.rc === 0 ? null : codeOfNumber(receipt.value.rc)
  }

  /** Stops waiting for quiet. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#quiet)
  }
}
