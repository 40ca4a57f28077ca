import {
  type Ctx,
  type DeliverItem,
  type Directory,
  decodeCtx,
  hashesOf,
  inclusionPaths,
  joinHashes,
  limits,
} from '@liaison/protocol'
import type { StoredEnvelope } from '../log/relay-log.ts'
import { Audiences } from './audiences.ts'
import type { RecentEnvelopes } from './recent-envelopes.ts'

/** Turns stored envelopes into what one device gets: its own slot and the path that proves it. */
export class Pruner {
  readonly #recent: RecentEnvelopes
  readonly #audiences: Audiences
  /** Decoded headers by the identity of the stored object, which the cache shares among readers. */
  readonly #headers = new WeakMap<StoredEnvelope, Ctx>()
  /** Paths of all slots, made once for all readers of an envelope. */
  readonly #paths = new WeakMap<StoredEnvelope, readonly (readonly Uint8Array[])[]>()

  constructor(directory: Directory, recent: RecentEnvelopes) {
    this.#recent = recent
    this.#audiences = new Audiences(directory)
  }

  /** Whether the envelope was sealed for the device. */
  isFor(envelope: StoredEnvelope, device: number): boolean {
    return this.#audiences.of(this.header(envelope)).places.has(device)
  }

  /** The item for one device, or null when the envelope is not for it. */
  async itemFor(
    envelope: StoredEnvelope,
    device: number,
    fluPaths: boolean,
  ): Promise<DeliverItem | null> {
    const audience = this.#audiences.of(this.header(envelope))
    const idx = audience.places.get(device)
    if (idx === undefined) return null
    const slots = await this.#recent.slots(envelope)
    const paths = this.#pathsOf(envelope)
    const pathOf = (at: number): Uint8Array => joinHashes(paths[at] ?? [])
    const flu = fluPaths
      ? Array.from({ length: audience.fluCount }, (_, at) => [at, pathOf(at)] as const)
      : []
    const { cursor, ctx, seal, sig, payload } = envelope
    const slot = slots.subarray(idx * limits.slotBytes, (idx + 1) * limits.slotBytes)
    return { form: 'full', cursor, ctx, seal, sig, payload, idx, slot, path: pathOf(idx), flu }
  }

  #pathsOf(envelope: StoredEnvelope): readonly (readonly Uint8Array[])[] {
    const known = this.#paths.get(envelope)
    if (known !== undefined) return known
    const paths = inclusionPaths(hashesOf(envelope.slotLeaves) ?? [])
    this.#paths.set(envelope, paths)
    return paths
  }

  /** Decoded header of an accepted envelope. */
  header(envelope: StoredEnvelope): Ctx {
    const known = this.#headers.get(envelope)
    if (known !== undefined) return known
    const decoded = decodeCtx(envelope.ctx)
    if (!decoded.ok)
      throw new Error(`stored header ${envelope.topic}:${envelope.cursor} does not decode`)
    this.#headers.set(envelope, decoded.value)
    return decoded.value
  }
}
