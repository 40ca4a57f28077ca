/** The relay's judgement on an envelope, and the validation of a report on a workstation. */
import { readdir, readFile } from 'node:fs/promises'
import { verifyEnvelopeSignature } from '@liaison/protocol'
import { parseBody, validateReport } from '@liaison/schemas/reports'
import { identify } from '../server/src/admission/identify.ts'
import { judgeContent, judgeHeader } from '../server/src/admission/judge.ts'
import { LoadSender } from './support/load.ts'
import { benchNetwork, benchTopic, devicesOf } from './support/networks.ts'
import { type BenchOptions, type Row, rowOf, timed } from './support/row.ts'

const payloadBytes = 752

/** Row `admission`: everything that is checked before the log, on one core. */
export function admissionRows(options: BenchOptions): Row[] {
  const network = benchNetwork({ publishers: 1, readers: 2 })
  const { directory, now } = network
  const [device] = devicesOf(network, 'PUB')
  if (device === undefined) throw new Error('no publisher')
  const sender = new LoadSender(network, device, network.topic(benchTopic), payloadBytes)
  const count = options.quick ? 500 : 3000
  const envelopes = Array.from({ length: count }, () => sender.next().envelope)
  const whole: number[] = []
  const signatures: number[] = []
  const rest: number[] = []
  for (let run = -1; run < (options.quick ? 3 : 7); run++) {
    const all = timed(() => {
      for (const envelope of envelopes) {
        const item = identify(directory.net, device.num, envelope)
        if (!item.ok) throw new Error(item.error)
        const header = judgeHeader(directory, item.value, now)
        if (!header.ok) throw new Error(header.error)
        if (!verifyEnvelopeSignature(directory.net, header.value.identityKey, envelope)) {
          throw new Error('does not verify')
        }
        const content = judgeContent(item.value)
        if (!content.ok) throw new Error(content.error)
      }
    })
    const verify = timed(() => {
      for (const envelope of envelopes) {
        const good = verifyEnvelopeSignature(directory.net, device.key.publicKey, envelope)
        if (!good) throw new Error('does not verify')
      }
    })
    if (run < 0) continue
    whole.push((1000 * count) / all)
    signatures.push((1000 * count) / verify)
    rest.push((1000 * count) / Math.max(0.001, all - verify))
  }
  const signature = rowOf('admission.signature', 'checks/s', signatures)
  const limit = { name: 'the signature check alone', value: signature.value }
  const note = `three slots, ${payloadBytes} B payload`
  return [
    rowOf('admission', 'checks/s', whole, { limit, note }),
    signature,
    rowOf('admission.rest', 'checks/s', rest, { note: 'the same without the signature check' }),
  ]
}

/** Rows `validate.report.*`: parsing and checking the example reports of each type. */
export async function validateRows(options: BenchOptions): Promise<Row[]> {
  const folder = new URL('../examples/reports/', import.meta.url)
  const byType = new Map<string, Uint8Array[]>()
  for (const name of (await readdir(folder)).filter((file) => /^\d+-/.test(file)).sort()) {
    const bytes = new Uint8Array(await readFile(new URL(name, folder)))
    const { type } = JSON.parse(new TextDecoder().decode(bytes)) as { readonly type: string }
    byType.set(type, [...(byType.get(type) ?? []), bytes])
  }
  return [...byType].sort().map(([type, bodies]) => {
    const rounds = Math.ceil((options.quick ? 50 : 400) / bodies.length)
    const rates: number[] = []
    for (let run = -1; run < 5; run++) {
      const ms = timed(() => {
        for (let round = 0; round < rounds; round++) for (const body of bodies) check(body)
      })
      if (run >= 0) rates.push((1000 * rounds * bodies.length) / ms)
    }
    const size = Math.round(bodies.reduce((sum, b) => sum + b.length, 0) / bodies.length)
    return rowOf(`validate.report.${type}`, 'reports/s', rates, {
      note: `${bodies.length} reports of ${size} B on average`,
    })
  })
}

function check(body: Uint8Array): void {
  const parsed = parseBody(body)
  if (!parsed.ok) throw new Error('an example does not parse')
  if (!validateReport(parsed.value).ok) throw new Error('an example is not valid')
}
