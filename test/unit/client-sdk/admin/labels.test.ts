import { sodiumReady } from '@liaison/protocol'
import t from 'tap'
import {
  adminLabel,
  deviceLabel,
  memberLabel,
  topicLabel,
} from '../../../../client-sdk/src/admin/labels.ts'
import { makeNetwork } from '../../../support/network.ts'

await sodiumReady()

t.test('people see names, and numbers of what the directory does not have', async (t) => {
  const network = makeNetwork()
  const { directory } = network
  const french = network.append('member', {
    code: 'TD',
    kind: 'state',
    name: { fr: 'Tchad' },
  }).index
  const device = network.deviceOf('BF')
  t.equal(memberLabel(directory, french), 'TD, Tchad')
  t.equal(memberLabel(directory, network.member('BF')), 'BF', 'no name beside the code')
  t.equal(deviceLabel(directory, device.num), `device ${device.num}, BF, bf-1`)
  t.equal(topicLabel(directory, network.topic('arms')), 'arms')
  t.equal(adminLabel(directory, 4), 'MR: MR, administrator')
  t.strictSame(
    [memberLabel, deviceLabel, topicLabel, adminLabel].map((label) => label(directory, 9999)),
    ['member 9999', 'device 9999', 'topic 9999', 'administrator 9999'],
  )
})
