import type { Delivery } from '@liaison/client-sdk'
import { type Directory, toHex } from '@liaison/protocol'
import { clean, type JsonObject, moment, type Output } from './output.ts'

/** A delivery as JSON. */
export function deliveryObject(delivery: Delivery): JsonObject {
  switch (delivery.kind) {
    case 'report': {
      const { ack: _ack, core, receivedAt, ...rest } = delivery
      return { ...rest, core: toHex(core), receivedAt: new Date(receivedAt).toISOString() }
    }
    case 'undecryptable':
      return { ...delivery, core: delivery.core === null ? null : toHex(delivery.core) }
    case 'gap':
      return { ...delivery }
  }
}

/** A delivery as lines for a person. Exercise or actual, handling and verification come first. */
export function deliveryLines(delivery: Delivery, directory: Directory, out: Output): string[] {
  switch (delivery.kind) {
    case 'report':
      return reportLines(delivery, out)
    case 'undecryptable':
      return [
        out.paint(
          'red',
          `[${delivery.cursor}] NOT READABLE in ${clean(delivery.topic)}: ${delivery.reason}`,
        ),
        `    from ${delivery.from === null ? 'an unknown sender' : senderText(delivery.from)}`,
        `    what to do: ${delivery.remedy}`,
        ...(delivery.core === null ? [] : [`    core ${toHex(delivery.core).slice(0, 16)}`]),
      ]
    case 'gap':
      return [
        out.paint(
          'red',
          `[${delivery.cursor}] MISSING in ${clean(delivery.topic)}: ${delivery.reason}`,
        ),
        `    places ${delivery.from} to ${delivery.to} of device ${delivery.device} of ${memberOf(directory, delivery.device)}`,
      ]
  }
}

const memberOf = (directory: Directory, device: number): string =>
  directory.member(directory.device(device)?.mem ?? -1)?.code ?? 'an unknown member'

type ReportDelivery = Extract<Delivery, { readonly kind: 'report' }>

const senderText = ({ member, device, label }: ReportDelivery['from']): string =>
  `${clean(member)}, device ${device}${label === undefined ? '' : ` (${clean(label)})`}`

const verdicts: { readonly [verdict: string]: string } = {
  'sender-suspended': 'signed by a device since suspended: look twice',
  'chain-restarted': 'signature good; sender restarted its chain',
  conflict: 'another content came under the same id: look twice',
}

function reportLines(delivery: ReportDelivery, out: Output): string[] {
  const body = fieldsOf(delivery.report)
  const meta = fieldsOf(body['meta'])
  const status = delivery.status.toUpperCase()
  const head = [
    `[${delivery.cursor}] ${out.paint(delivery.status === 'actual' ? 'red' : 'yellow', status)}`,
    out.paint('bold', `TLP:${clean(delivery.handling)}`),
    textIn(meta, 'precedence').toUpperCase(),
    delivery.schema === '' ? 'type unknown to this release' : delivery.schema,
    `in ${clean(delivery.topic)}`,
  ]
  const issued = Date.parse(textIn(meta, 'issued'))
  const when = Number.isNaN(issued) ? '' : `issued ${moment(issued)}, `
  const good = delivery.verified === true
  const verdict = good ? 'verified' : (verdicts[delivery.verified as string] ?? 'look twice')
  return [
    head.filter((part) => part !== '').join('  '),
    `    ${out.paint('bold', clean(textIn(body, 'title') || textIn(body, 'subject') || '(no title)'))}`,
    `    from ${senderText(delivery.from)}; ${out.paint(good ? 'green' : 'red', verdict)}`,
    `    ${when}received ${moment(delivery.receivedAt)}`,
    ...proofLines(delivery, out),
    `    id ${clean(textIn(meta, 'id') || '-')}, core ${toHex(delivery.core).slice(0, 16)}`,
  ]
}

/** What a device of the unit found when it repeated the check that a notice claims to have failed. */
function proofLines({ proof }: ReportDelivery, out: Output): string[] {
  switch (proof) {
    case 'proved':
      return [`    ${out.paint('green', 'the fault that it names is proved')}`]
    case 'not-proved':
      return [
        `    ${out.paint('red', 'the fault that it names is NOT there: this speaks against its sender')}`,
      ]
    case 'unchecked':
      return ['    the fault that it names could not be looked into']
    default:
      return []
  }
}

type Fields = { readonly [name: string]: unknown }

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {}

const textIn = (fields: Fields, name: string): string => {
  const value = fields[name]
  return typeof value === 'string' ? value : ''
}
