import { type Directory, type ErrorCode, isRelayError } from '@liaison/protocol'
import { checkAllSlots, checkSlots, type SlotToCheck } from '@liaison/seal'
import type { PublicKeys } from '../keys/public-keys.ts'
import type { Random } from '../session/backoff.ts'
import { clientLimits } from '../session/limits.ts'
import type { Link } from '../session/link.ts'
import type { FullItem, VerifiedItem } from './verify-item.ts'

/**
 * Proves that the sender gave the other recipients a key that opens the report. The FLU checks every
 * slot of every report; other devices check the FLU's slots of one report in eight, so that a sender
 * who leaves the FLU out is found by somebody within days.
 */
export class SlotChecker {
  readonly #directory: Directory
  readonly #device: number
  readonly #keys: PublicKeys
  readonly #random: Random

  constructor(deps: {
    readonly directory: Directory
    readonly device: number
    readonly keys: PublicKeys
    readonly random: Random
  }) {
    this.#directory = deps.directory
    this.#device = deps.device
    this.#keys = deps.keys
    this.#random = deps.random
  }

  /** @returns null when nothing was found wrong, or could not be checked now. */
  async check(
    item: FullItem,
    verified: VerifiedItem,
    messageKey: Uint8Array,
    link: Link,
  ): Promise<ErrorCode | null> {
    const own = this.#directory.device(this.#device)
    const isFlu = own !== null && this.#directory.isFlu(own.mem)
    if (!isFlu && this.#random() * clientLimits.slotCheckOneIn >= 1) return null
    try {
      return isFlu
        ? await this.checkAll(item, verified, messageKey, link)
        : await this.#checkFlu(item, verified, messageKey, link)
    } catch (error) {
      // A key that cannot be had now says nothing about the sender.
      if (isRelayError(error)) return null
      throw error
    }
  }

  /**
   * Makes every slot again from the message key.
   *
   * @returns null when all are as they were signed.
   * @throws RelayError when a public key cannot be had from the relay.
   */
  async checkAll(
    item: FullItem,
    { seal, audience }: VerifiedItem,
    messageKey: Uint8Array,
    link: Link,
  ): Promise<ErrorCode | null> {
    const kids = audience.recipients.map((r) => r.kid)
    const keys = await this.#keys.get(kids, link)
    const all = audience.recipients.map(({ kid }, i) => ({
      kid,
      publicKey: keys[i] ?? new Uint8Array(),
    }))
    const envelope = { net: this.#directory.net, ctx: item.ctx, seal, messageKey }
    const checked = checkAllSlots(envelope, all)
    return checked.ok ? null : checked.error
  }

  async #checkFlu(
    item: FullItem,
    verified: VerifiedItem,
    messageKey: Uint8Array,
    link: Link,
  ): Promise<ErrorCode | null> {
    const { seal, audience, core } = verified
    const fetched = await link.request(
      { kind: 'fetch-core', cores: [core], fluPaths: true },
      'fetched',
    )
    const [again] = fetched.items
    const paths = new Map(again?.form === 'full' ? again.flu : [])
    const flu = audience.recipients.slice(0, audience.fluCount)
    // The relay must not choose which slots are looked at: without a path for each, all are made again.
    if (!flu.every((_, idx) => paths.has(idx))) {
      return this.checkAll(item, verified, messageKey, link)
    }
    const keys = await this.#keys.get(
      flu.map((one) => one.kid),
      link,
    )
    const slots: SlotToCheck[] = flu.map(({ kid }, idx) => ({
      idx,
      kid,
      path: paths.get(idx) ?? new Uint8Array(),
      publicKey: keys[idx] ?? new Uint8Array(),
    }))
    const n = audience.recipients.length
    const checked = checkSlots(
      { net: this.#directory.net, ctx: item.ctx, seal, n, messageKey },
      slots,
    )
    // A wrong path is the relay's lie, not the sender's: only all slots together convict a sender.
    return checked.ok ? null : this.checkAll(item, verified, messageKey, link)
  }
}
