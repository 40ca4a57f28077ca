/** Sealing, opening and the slot check, each beside the X-Wing operations that it cannot do without. */
import {
  audienceHash,
  type Ctx,
  decodeSeal,
  type NetworkId,
  randomBytes,
  type Seal,
  sha256,
  signingKeyFromSeed,
  slotsOf,
  utf8,
} from '@liaison/protocol'
import { sodium } from '@liaison/protocol/internal'
import {
  checkAllSlots,
  type EpochKeyPair,
  newEpochKey,
  openEnvelope,
  type SealInput,
  sealEnvelope,
  xwingBytes,
} from '@liaison/seal'
import { type BenchOptions, type Row, rowOf, timed } from './support/row.ts'

/** Ordinary header, without optional keys. */
export function plainCtx(recipients: readonly EpochKeyPair[]): Ctx {
  const hash = audienceHash(recipients.map(({ kid }, i) => ({ dev: 40 + i, kid })))
  return {
    v: 1,
    k: 1,
    id: randomBytes(16),
    from: 57,
    top: 31,
    hc: 2,
    sch: sha256(utf8('example schema')),
    t: 1_795_478_400_000,
    seq: 300,
    prev: randomBytes(32),
    dir: [420, randomBytes(32)],
    aud: [0, recipients.length, hash],
  }
}

/** A body whose padded content fills exactly 736 bytes, 752 with the tag. */
export const reportBody = (): Uint8Array => utf8('x'.repeat(720))

/** Everything that sealing needs for `n` recipients. */
export function sealInput(keys: readonly EpochKeyPair[]): SealInput {
  return {
    net: sha256(utf8('benchmark network')) as NetworkId,
    signer: signingKeyFromSeed(randomBytes(32)),
    ctx: plainCtx(keys),
    recipients: keys,
    body: reportBody(),
  }
}

function unwrapped<T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false },
): T {
  if (!result.ok) throw new Error('the benchmark sealed or opened wrongly')
  return result.value
}

/** Work of one sample, ms: long enough that the clock's resolution does not matter. */
const sampleMs = 40

/** Repeats a piece of work and its limit in turn, so that a busy moment meets both. */
function interleaved(
  runs: number,
  work: () => void,
  limit: () => void,
): { readonly work: number[]; readonly limit: number[] } {
  const once = Math.max(timed(work), timed(work), 0.01)
  const inner = Math.max(1, Math.round(sampleMs / once))
  const out = { work: [] as number[], limit: [] as number[] }
  const many = (f: () => void) => () => {
    for (let i = 0; i < inner; i++) f()
  }
  for (let warm = 0; warm < 2; warm++) {
    timed(many(work))
    timed(many(limit))
  }
  for (let run = 0; run < runs; run++) {
    // In turn the one first and then the other: what follows a long loop starts on a warm cache.
    const order = run % 2 === 0 ? (['work', 'limit'] as const) : (['limit', 'work'] as const)
    for (const side of order) {
      out[side].push(timed(many(side === 'work' ? work : limit)) / inner)
    }
  }
  return out
}

function limited(
  name: string,
  runs: number,
  limitName: string,
  work: () => void,
  limit: () => void,
): Row {
  const times = interleaved(runs, work, limit)
  const sorted = [...times.limit].sort((a, b) => a - b)
  const value = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  return rowOf(name, 'ms', times.work, { limit: { name: limitName, value } })
}

/** Rows `seal.*`, `open`, `slotcheck.30`. */
export function sealRows(options: BenchOptions): Row[] {
  const rows: Row[] = []
  const runs = options.quick ? 7 : 21
  const keys = Array.from({ length: 100 }, newEpochKey)
  const seeds = keys.map(() => randomBytes(xwingBytes.encapsulationSeed))
  const encapsulate = (n: number) => () => {
    for (let i = 0; i < n; i++) {
      const key = keys[i] as EpochKeyPair
      sodium().crypto_kem_xwing_enc_deterministic(key.publicKey, seeds[i] as Uint8Array)
    }
  }
  for (const n of [1, 10, 30, 100]) {
    if (!options.wants(`seal.${n}`)) continue
    const input = sealInput(keys.slice(0, n))
    const seal = (): void => void unwrapped(sealEnvelope(input))
    rows.push(limited(`seal.${n}`, runs, `${n} X-Wing encapsulations`, seal, encapsulate(n)))
  }
  if (options.wants('open') || options.wants('slotcheck.30')) {
    rows.push(...openRows(options, runs, keys.slice(0, 30), encapsulate(30)))
  }
  return rows
}

function openRows(
  options: BenchOptions,
  runs: number,
  keys: readonly EpochKeyPair[],
  encapsulations: () => void,
): Row[] {
  const input = sealInput(keys)
  const { envelope } = unwrapped(sealEnvelope(input))
  const seal: Seal = unwrapped(decodeSeal(envelope.seal))
  const slots = slotsOf(envelope.slots) ?? []
  const idx = 17
  const own = keys[idx] as EpochKeyPair
  const slot = slots[idx] as Uint8Array
  const part = { net: input.net, ctx: envelope.ctx, seal }
  const openOwn = () =>
    unwrapped(
      openEnvelope({
        ...part,
        payload: envelope.payload,
        idx,
        slot,
        kid: own.kid,
        secretKey: own.secretKey,
      }),
    )
  const { messageKey } = openOwn()
  const rows: Row[] = []
  if (options.wants('open')) {
    const decapsulate = (): void =>
      void sodium().crypto_kem_xwing_dec(slot.subarray(0, xwingBytes.ciphertext), own.secretKey)
    const name = 'one X-Wing decapsulation'
    rows.push(limited('open', runs, name, () => void openOwn(), decapsulate))
  }
  if (options.wants('slotcheck.30')) {
    const check = (): void => void unwrapped(checkAllSlots({ ...part, messageKey }, keys))
    const name = '30 X-Wing encapsulations'
    rows.push(limited('slotcheck.30', runs, name, check, encapsulations))
  }
  return rows
}
