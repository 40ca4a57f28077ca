import type { Network } from '@liaison/client-sdk'
import { nodeWebSocket } from '@liaison/client-sdk/node'
import {
  type Ctx,
  codeOfNumber,
  type Directory,
  decodeReceipt,
  epochMs,
  randomBytes,
  systemClock,
  utf8,
} from '@liaison/protocol'
import { schemaHash } from '@liaison/schemas'
import { sealEnvelope } from '@liaison/seal'
import { TransientStore } from '../../client-sdk/src/admin/transient-store.ts'
import { PublicKeys } from '../../client-sdk/src/keys/public-keys.ts'
import { Link } from '../../client-sdk/src/session/link.ts'
import type { ExampleNetwork } from '../../keys-example/example-network.ts'
import type { DemoDevice } from './devices.ts'
import type { PlannedReport } from './reports.ts'

/**
 * Seals a report properly, changes one bit of the sealed payload, and publishes it.
 *
 * @returns The code with which the relay refused it.
 */
export async function publishTampered(
  o: {
    readonly device: DemoDevice
    readonly example: ExampleNetwork
    readonly network: Network
    readonly directory: Directory
    readonly url: string
  },
  planned: PlannedReport,
): Promise<string> {
  const { directory, device, example } = o
  const { signingKey: key } = example.identityOf(device.example)
  const topic = directory.topicByName(planned.topic)
  if (topic === null) throw new Error(`no topic ${planned.topic}`)
  const link = await Link.connect({
    url: o.url,
    open: nodeWebSocket,
    directory,
    principal: { kind: 'device', number: device.number },
    key,
    signal: AbortSignal.timeout(20_000),
  })
  try {
    const t = epochMs(systemClock())
    const audience = directory.audience({ topic: topic.num, hc: 1, mode: 0, t })
    if (!audience.ok) throw new Error(audience.error)
    const { recipients, hash } = audience.value
    const kids = recipients.map((r) => r.kid)
    const publicKeys = await new PublicKeys(new TransientStore()).get(kids, link)
    const ctx: Ctx = {
      v: 1,
      k: 1,
      id: randomBytes(16),
      from: device.number,
      top: topic.num,
      hc: 1,
      sch: schemaHash(planned.report.type),
      t,
      seq: 0,
      prev: new Uint8Array(32),
      dir: [directory.size, directory.root],
      aud: [0, recipients.length, hash],
      // An incarnation of its own: the device's real chain is not touched.
      inc: Number.MAX_SAFE_INTEGER,
    }
    const sealed = sealEnvelope({
      net: directory.net,
      signer: key,
      ctx,
      recipients: kids.map((kid, i) => ({ kid, publicKey: publicKeys[i] ?? new Uint8Array() })),
      body: utf8(JSON.stringify(planned.report)),
    })
    if (!sealed.ok) throw new Error(sealed.error)
    const { envelope } = sealed.value
    const payload = new Uint8Array(envelope.payload)
    payload[0] = (payload[0] ?? 0) ^ 1
    const result = await link.request(
      { kind: 'publish', envelopes: [{ ...envelope, payload }] },
      'result',
    )
    const receipt = decodeReceipt(result.receipts[0] ?? new Uint8Array())
    if (!receipt.ok) throw new Error(receipt.error)
    return receipt.value.rc === 0 ? 'accepted' : codeOfNumber(receipt.value.rc)
  } finally {
    link.close()
  }
}
