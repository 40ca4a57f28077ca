/** What a reader demands of a heading, whatever a relay has let through. */
import { limits, sha256, sodiumReady, utf8, weekMs } from '@liaison/protocol'
import { schemaHash } from '@liaison/schemas'
import t from 'tap'
import { verifyItem } from '../../../../client-sdk/src/inbox/verify-item.ts'
import { type ComposeOptions, Composer } from '../../../support/composer.ts'
import { itemOf } from '../../../support/hostile-sender.ts'
import type { TestNetwork } from '../../../support/network.ts'
import { reportNetwork } from '../../../support/sdk.ts'

await sodiumReady()

const spotrep = schemaHash('spotrep')
const violation = schemaHash('violation')
const other = sha256(utf8('a schema that no topic lists'))
const ref = sha256(utf8('an envelope'))

/** What the first device of the unit says to a report of BF with such a heading. */
function verdict(network: TestNetwork, options: ComposeOptions): string {
  const composer = new Composer(network, network.deviceOf('BF'))
  const { envelope } = composer.seal({ hc: 1, ...options })
  const reader = network.deviceOf('FLU')
  const item = itemOf(network, envelope, reader, 1)
  if (item.form !== 'full') throw new Error(item.form)
  const verified = verifyItem(network.directory, reader.num, network.topic('terrorism'), item)
  return verified.ok ? 'ok' : verified.error.code
}

function networkWithOther(): TestNetwork {
  const network = reportNetwork()
  network.append('schema', { name: 'other', ver: 1, hash: other, state: 'active' })
  return network
}

const headings: readonly (readonly [string, string, ComposeOptions])[] = [
  ['a report of a listed type', 'ok', { ctx: { sch: spotrep } }],
  ['feedback, which every topic carries', 'ok', { ctx: { sch: schemaHash('feedback') } }],
  ['a notice to the unit', 'ok', { to: [], ctx: { k: 5, ref, sch: violation } }],
  ['a notice sent as a report', 'schema_refused', { ctx: { sch: violation } }],
  ['a recall sent as a report', 'schema_refused', { ctx: { sch: schemaHash('recall') } }],
  ['a type of another topic', 'schema_refused', { ctx: { sch: other } }],
  ['a type that is listed nowhere', 'schema_refused', { ctx: { sch: ref } }],
  ['a report sent as a notice', 'schema_refused', { to: [], ctx: { k: 5, ref, sch: spotrep } }],
  ['a notice for everybody', 'frame_malformed', { ctx: { k: 5, ref, sch: violation } }],
  ['a notice about nothing', 'frame_malformed', { to: [], ctx: { k: 5, sch: violation } }],
  ['a report with a reference', 'frame_malformed', { ctx: { ref, sch: spotrep } }],
  ['a kind that is not carried', 'kind_unsupported', { ctx: { k: 4, ref, sch: spotrep } }],
]

for (const [what, code, options] of headings) {
  t.test(`${what}: ${code}`, async (t) => {
    t.equal(verdict(networkWithOther(), options), code)
  })
}

t.test('a type counts as the directory of the sender had it', async (t) => {
  const network = reportNetwork()
  const before = network.base()
  const num = network.directory.schemaByHash(spotrep)?.num
  network.append('schema', { num, name: 'spotrep', ver: 1, hash: spotrep, state: 'retired' })
  t.equal(verdict(network, { ctx: { sch: spotrep, dir: before } }), 'ok', 'sealed before')
  t.equal(verdict(network, { ctx: { sch: spotrep } }), 'schema_refused', 'sealed after')
})

t.test('a directory that had long been replaced is not taken for one', async (t) => {
  const network = reportNetwork()
  const before = network.base()
  network.append('member', { code: 'TD', kind: 'state', name: { en: 'Chad' } })
  const { maxAge } = network.directory.policy().freshness
  const replaced = network.directory.replacedBy(before[0]) ?? 0
  t.equal(replaced, network.now + limits.statementLifeMsMax, 'the entry could wait so long')
  const last = replaced + maxAge + limits.clockAheadMsMax
  const at = (ctx: ComposeOptions['ctx']): string =>
    verdict(network, { ctx: { sch: spotrep, ...ctx } })
  t.equal(at({ dir: before, t: last }), 'ok', 'a sender that may just not have heard of it')
  t.equal(at({ dir: before, t: last + 1 }), 'directory_stale')
  t.equal(at({ t: network.now + 6 * weekMs }), 'ok', 'the newest state does not age')
})
