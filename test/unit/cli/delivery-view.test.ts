import type { Delivery } from '@liaison/client-sdk'
import type { Directory } from '@liaison/protocol'
import t from 'tap'
import { deliveryLines, deliveryObject } from '../../../cli/src/delivery-view.ts'
import { Output } from '../../../cli/src/output.ts'

const out = new Output(process, { json: false, quiet: true, colour: false })

type ReportDelivery = Extract<Delivery, { readonly kind: 'report' }>

/** A notice as a device of the unit shows it. */
const notice = (proof: ReportDelivery['proof']): Delivery =>
  ({
    kind: 'report',
    cursor: '7',
    topic: 'terrorism',
    status: 'exercise',
    from: { device: 3, member: 'ML' },
    core: new Uint8Array(32),
    schema: 'violation',
    report: { type: 'violation' },
    handling: 'RED',
    verified: true,
    ...(proof === undefined ? {} : { proof }),
    receivedAt: 0,
    ack: () => Promise.resolve(),
  }) as unknown as Delivery

t.test('what the check of a notice gave is shown, and is in the JSON', async (t) => {
  const lines = (proof: ReportDelivery['proof']): string =>
    deliveryLines(notice(proof), {} as Directory, out).join('\n')
  t.match(lines('proved'), /the fault that it names is proved/)
  t.match(lines('not-proved'), /NOT there: this speaks against its sender/)
  t.match(lines('unchecked'), /could not be looked into/)
  t.notMatch(lines(undefined), /fault/, 'nothing of anything else')
  t.equal(deliveryObject(notice('not-proved'))['proof'], 'not-proved')
  t.notOk('proof' in deliveryObject(notice(undefined)))
})
