import { sha256, sodiumReady, utf8 } from '@liaison/protocol'
import t from 'tap'
import { TransientStore } from '../../../../client-sdk/src/admin/transient-store.ts'
import {
  advanceChain,
  type ChainLink,
  judgeChain,
} from '../../../../client-sdk/src/inbox/chains.ts'
import { Batch } from '../../../../client-sdk/src/store/batch.ts'

await sodiumReady()

const chain = sha256(utf8('chain'))
const core = (inc: number, seq: number, which = ''): Uint8Array =>
  sha256(utf8(`core ${inc} ${seq}${which}`))

/** An envelope at a place; `which` makes another one for the same place. */
const at = (inc: number, seq: number, which = ''): ChainLink => ({
  chain,
  inc,
  seq,
  core: core(inc, seq, which),
  prev: seq === 0 ? new Uint8Array(32) : core(inc, seq - 1),
})

/** Takes envelopes in order. @returns the verdict on each. */
async function verdicts(...links: readonly ChainLink[]): Promise<unknown[]> {
  const store = new TransientStore()
  const out: unknown[] = []
  for (const link of links) {
    const batch = new Batch(store)
    const verdict = await judgeChain(batch, link)
    out.push(verdict.kind === 'gap' ? [verdict.from, verdict.to] : verdict.kind)
    if (verdict.kind === 'next' || verdict.kind === 'restarted') await advanceChain(batch, link)
    await batch.commit()
  }
  return out
}

t.test('places in order, again, and with a hole', async (t) => {
  t.same(await verdicts(at(0, 3), at(0, 4), at(0, 4), at(0, 7)), [
    'next',
    'next',
    'repeated',
    [5, 6],
  ])
  t.same(await verdicts(at(0, 3), at(0, 2)), ['next', 'next'], 'filled in from behind')
})

t.test('two envelopes for one place are a conflict', async (t) => {
  t.same(await verdicts(at(0, 0), at(0, 0, 'b')), ['next', 'conflict'])
  t.same(await verdicts(at(0, 0), { ...at(0, 1), prev: core(9, 9) }), ['next', 'conflict'])
})

t.test('a chain that began anew, and what comes late from before', async (t) => {
  t.same(await verdicts(at(0, 0), at(1, 0), at(1, 1)), ['next', 'restarted', 'next'])
  t.same(
    await verdicts(at(0, 0), at(1, 0), at(0, 1), at(0, 1), at(1, 1)),
    ['next', 'restarted', 'restarted', 'repeated', 'next'],
    'held back: shown with the mark, and the chain goes on from where it was',
  )
  t.same(await verdicts(at(0, 0), at(1, 0), at(0, 0, 'b')), ['next', 'restarted', 'conflict'])
  t.same(await verdicts(at(0, 0), at(1, 2)), ['next', [0, 1]])
})
