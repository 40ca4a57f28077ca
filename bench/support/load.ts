import {
  type AudienceQuery,
  type Ctx,
  coreHashOf,
  type Envelope,
  encodeCtx,
  encodeSeal,
  limits,
  merkleRoot,
  randomBytes,
  sha256,
  slotLeaves,
  slotsOf,
} from '@liaison/protocol'
import { signParts } from '@liaison/protocol/internal'
import { type TestDevice, type TestNetwork, testSchemaHash } from '../../test/support/network.ts'

/** An envelope with what the log needs beside it. */
export interface LoadEnvelope {
  readonly ctx: Ctx
  readonly envelope: Envelope
  readonly core: Uint8Array
}

/**
 * Makes envelopes of one sender that a relay admits like any other: correct header, hashes, slot
 * root, chain and signature. Payload and slots are random bytes, because a relay cannot tell them
 * from ciphertext and making tens of thousands of real slots would take longer than the measurement.
 */
export class LoadSender {
  readonly device: TestDevice
  readonly #network: TestNetwork
  readonly #query: Omit<AudienceQuery, 't'>
  readonly #payload: Uint8Array
  readonly #slots: Uint8Array
  readonly #sr: Uint8Array
  readonly #aud: readonly [number, number, Uint8Array]
  readonly #dir: readonly [number, Uint8Array]
  #seq = 0
  #prev: Uint8Array = new Uint8Array(32)

  /** @param payloadBytes Length of each payload. */
  constructor(network: TestNetwork, device: TestDevice, topic: number, payloadBytes: number) {
    this.device = device
    this.#network = network
    this.#query = { topic, hc: 1, mode: 0 }
    const audience = network.directory.audience({ ...this.#query, t: network.now })
    if (!audience.ok) throw new Error(audience.error)
    const { recipients, hash } = audience.value
    this.#aud = [0, recipients.length, hash]
    this.#dir = network.base()
    this.#payload = randomBytes(payloadBytes)
    this.#slots = new Uint8Array(recipients.length * limits.slotBytes)
    for (let i = 0; i < recipients.length; i++) {
      this.#slots.set(randomBytes(limits.slotBytes), i * limits.slotBytes)
    }
    this.#sr = merkleRoot(slotLeaves(slotsOf(this.#slots) ?? []))
  }

  /** Merkle leaf hashes of the slots, the same for every envelope of this sender. */
  leaves(): Uint8Array[] {
    return slotLeaves(slotsOf(this.#slots) ?? [])
  }

  /** The next envelope of the chain. @param sign False leaves random bytes: for what is not admitted again. */
  next(sign = true): LoadEnvelope {
    const { net } = this.#network.directory
    const ctx: Ctx = {
      v: 1,
      k: 1,
      id: randomBytes(16),
      from: this.device.num,
      top: this.#query.topic,
      hc: this.#query.hc,
      sch: testSchemaHash,
      t: this.#network.now,
      seq: this.#seq,
      prev: this.#prev,
      dir: this.#dir,
      aud: this.#aud,
    }
    const ctxBytes = encodeCtx(ctx)
    const payload = new Uint8Array(this.#payload)
    payload.set(ctx.id)
    const seal = encodeSeal({
      kc: randomBytes(32),
      ph: sha256(payload),
      pl: payload.length,
      sr: this.#sr,
    })
    const sig = sign ? signParts(this.device.key, 'envelope', net, ctxBytes, seal) : randomBytes(64)
    const core = coreHashOf(net, ctxBytes, seal)
    this.#seq += 1
    this.#prev = core
    return { ctx, core, envelope: { ctx: ctxBytes, seal, sig, payload, slots: this.#slots } }
  }
}
