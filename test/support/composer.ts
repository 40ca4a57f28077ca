import {
  audienceModes,
  type Ctx,
  chainIdOf,
  epochMs,
  randomBytes,
  type SigningKey,
  utf8,
} from '@liaison/protocol'
import { type Sealed, type SealRecipient, sealEnvelope } from '@liaison/seal'
import { recipientsOf } from './epoch-keys.ts'
import { type TestDevice, type TestNetwork, testSchemaHash } from './network.ts'

/** What a test wants differently from an ordinary report to a whole topic. */
export interface ComposeOptions {
  readonly topic?: number
  readonly hc?: number
  /** Members by number: mode 1. */
  readonly to?: readonly number[]
  readonly body?: string
  /** Laid over the finished header, before sealing. */
  readonly ctx?: Partial<Ctx>
  /** Replaces the recipients that the slots are made for. */
  readonly recipients?: readonly SealRecipient[]
  /** Key that signs, when it is not the device's. */
  readonly signer?: SigningKey
  /** Leaves the chain as it is, so that the next report takes the same place. */
  readonly keepPlace?: boolean
}

/** Seals reports of one device as an honest client does, unless a test asks otherwise. */
export class Composer {
  readonly network: TestNetwork
  readonly device: TestDevice
  readonly #heads = new Map<string, { seq: number; core: Uint8Array }>()

  constructor(network: TestNetwork, device: TestDevice) {
    this.network = network
    this.device = device
  }

  /** The header of the next report. */
  header(options: ComposeOptions = {}): Ctx {
    const { directory } = this.network
    const top = options.topic ?? this.network.topic('terrorism')
    const hc = options.hc ?? 2
    const to = options.to
    const mode = to === undefined ? audienceModes.wholeTopic : audienceModes.members
    const t = options.ctx?.t ?? this.network.now
    const query = { topic: top, hc, mode, t: epochMs(t), ...(to === undefined ? {} : { to }) }
    const audience = directory.audience(query)
    const [n, hash] = audience.ok
      ? [audience.value.recipients.length, audience.value.hash]
      : [1, new Uint8Array(32)]
    const base = {
      v: 1,
      k: 1,
      id: randomBytes(16),
      from: this.device.num,
      top,
      hc,
      sch: testSchemaHash,
      t,
      dir: this.network.base(),
      aud: [mode, n, hash] as const,
      ...(to === undefined ? {} : { to }),
      seq: 0,
      prev: new Uint8Array(32),
      ...options.ctx,
    }
    const head = this.#heads.get(this.#chain(base))
    return {
      ...base,
      seq: options.ctx?.seq ?? (head === undefined ? 0 : head.seq + 1),
      prev: options.ctx?.prev ?? head?.core ?? new Uint8Array(32),
    }
  }

  /** Seals the next report and moves the chain on. */
  seal(options: ComposeOptions = {}): Sealed {
    const ctx = this.header(options)
    const recipients = options.recipients ?? this.recipients(ctx)
    const sealed = sealEnvelope({
      net: this.network.directory.net,
      signer: options.signer ?? this.device.key,
      ctx,
      recipients,
      body: utf8(options.body ?? '{"text":"report"}'),
    })
    if (!sealed.ok) throw new Error(sealed.error)
    if (options.keepPlace !== true) {
      this.#heads.set(this.#chain(ctx), { seq: ctx.seq, core: sealed.value.core })
    }
    return sealed.value
  }

  /** The audience that the local directory gives for a header. */
  recipients(ctx: Ctx): SealRecipient[] {
    const audience = this.network.directory.audience({
      topic: ctx.top,
      hc: ctx.hc,
      mode: ctx.to === undefined ? 0 : 1,
      t: epochMs(ctx.t),
      ...(ctx.to === undefined ? {} : { to: ctx.to }),
    })
    return audience.ok ? recipientsOf(this.network, audience.value.recipients, epochMs(ctx.t)) : []
  }

  #chain(ctx: Ctx): string {
    return `${ctx.inc ?? 0} ${chainIdOf(this.network.directory.net, ctx).join()}`
  }
}
