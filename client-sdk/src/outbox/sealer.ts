import {
  audienceModes,
  type ChainPosition,
  type Clock,
  type Ctx,
  chainIdOf,
  type Directory,
  RelayError,
  randomBytes,
  type SigningKey,
  toHex,
} from '@liaison/protocol'
import { type SchemaName, schemaHash } from '@liaison/schemas'
import { sealEnvelope } from '@liaison/seal'
import type { PublicKeys } from '../keys/public-keys.ts'
import type { Link } from '../session/link.ts'
import type { OutboxItem, SealedBytes } from './outbox-item.ts'
import { OwnChains } from './own-chains.ts'

/** Handling code of RED: never compressed, whatever the topic says. */
const red = 4

/** Seals reports for the audience of this moment, at the next place of their chain. */
export class Sealer {
  readonly #deps: {
    readonly directory: Directory
    readonly device: number
    readonly key: SigningKey
    readonly keys: PublicKeys
    readonly chains: OwnChains
    readonly clock: Clock
  }

  constructor(deps: {
    readonly directory: Directory
    readonly device: number
    readonly key: SigningKey
    readonly keys: PublicKeys
    readonly chains: OwnChains
    readonly clock: Clock
  }) {
    this.#deps = deps
  }

  /**
   * Seals one item.
   *
   * @param heads Places taken by earlier items of the same frame, by chain; this one is added.
   * @throws RelayError such as `no_flu`, `audience_too_large`, `key_unavailable`, `payload_too_large`.
   */
  async seal(
    item: OutboxItem,
    heads: Map<string, ChainPosition>,
    link: Link,
  ): Promise<SealedBytes> {
    const { directory, device, key, keys, chains, clock } = this.#deps
    const t = clock()
    const mode = item.to === null ? audienceModes.wholeTopic : audienceModes.members
    const query = {
      topic: item.topic,
      hc: item.hc,
      mode,
      t,
      ...(item.to === null ? {} : { to: item.to }),
    }
    const audience = directory.audience(query)
    if (!audience.ok) throw new RelayError(audience.error)
    const { recipients, hash } = audience.value
    const kids = recipients.map((r) => r.kid)
    const publicKeys = await keys.get(kids, link)
    const base = {
      v: 1,
      k: item.k,
      id: randomBytes(16),
      from: device,
      top: item.topic,
      hc: item.hc,
      sch: schemaHash(item.schema as SchemaName),
      t,
      dir: [directory.size, directory.root],
      aud: [mode, recipients.length, hash],
      ...(item.to === null ? {} : { to: item.to }),
      ...(item.ref === null ? {} : { ref: item.ref }),
      ...(item.pr === 0 ? {} : { pr: item.pr }),
    } as const
    const chain = chainIdOf(directory.net, base)
    const name = toHex(chain)
    const place = OwnChains.after(heads.get(name) ?? (await chains.head(chain)))
    const { inc, seq, prev } = place
    const ctx: Ctx = { ...base, seq, prev, ...(inc === 0 ? {} : { inc }) }
    const compress = directory.topic(item.topic)?.compress === true && item.hc !== red
    const sealed = sealEnvelope({
      net: directory.net,
      signer: key,
      ctx,
      recipients: kids.map((kid, i) => ({ kid, publicKey: publicKeys[i] ?? new Uint8Array() })),
      body: item.body,
      compress,
    })
    if (!sealed.ok) throw new RelayError(sealed.error)
    const { envelope, core } = sealed.value
    heads.set(name, { inc, seq, core })
    return { envelope, core, chain, inc, seq }
  }
}
