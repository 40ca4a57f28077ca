/** The checker before anything that it checks: each bad history must go red, and only where it is bad. */
import t from 'tap'
import { check, type Demands, type Verdict } from './checker/check.ts'
import type { EventBody, HistoryEvent } from './history.ts'

const [bf, ml, ne, flu] = [21, 22, 23, 24]
const core = (n: number): string => n.toString(16).padStart(64, '0')
const demands: Demands = { faultsMin: 1, kinds: { 'relay-kill': 1 }, acksAfterFaultsMin: 2 }
const second = 1e9
/** The suspension has leaf 104. */
const leafOf = (n: number): number => (n < 4 ? 100 + n : 101 + n)

/** Events at whole seconds; a time that is given stays. */
const at = (bodies: readonly EventBody[]): HistoryEvent[] =>
  bodies.map((body, i) => ({ w: 'single', proc: 'test', t: (i + 1) * second, ...body }))

/** A good run: three reports, a fault, a suspension, a fourth report, everything shown and found. */
function good(): EventBody[] {
  const publish = (n: number): EventBody[] => [
    { type: 'invoke', op: 'publish', id: `r${n}`, dev: bf, core: core(n) },
    { type: 'ok', op: 'publish', id: `r${n}`, dev: bf, core: core(n), ix: leafOf(n), cur: n },
  ]
  const show = (dev: number, n: number): EventBody => ({
    type: 'ok',
    op: 'show',
    id: `r${n}`,
    dev,
    core: core(n),
    kind: 'report',
  })
  const log = (n: number, audience: string): EventBody => ({
    type: 'ok',
    op: 'log',
    id: `x${n}`,
    dev: bf,
    core: core(n),
    cur: n,
    ix: leafOf(n),
    chain: 'bf',
    seq: n - 1,
    kind: audience,
  })
  return [
    { type: 'ok', op: 'sizes', id: 'log', leaves: 100, dir: 30 },
    ...publish(1),
    { type: 'ok', op: 'send', id: 'send', dev: ml, checked: 3.5 * second, bytes: 2_000 },
    { type: 'ok', op: 'read', id: 'read', dev: ml, bytes: 2_000 },
    { type: 'invoke', op: 'fault', id: 'f1', kind: 'relay-kill' },
    { type: 'invoke', op: 'publish', id: 'r2', dev: bf, core: core(2) },
    { type: 'info', op: 'publish', id: 'r2', dev: bf, code: 'log_unavailable' },
    { type: 'ok', op: 'fault', id: 'f1', kind: 'relay-kill' },
    { type: 'ok', op: 'publish', id: 'r2', dev: bf, core: core(2), ix: 102, cur: 2 },
    ...publish(3),
    { type: 'invoke', op: 'publish', id: 'r9', dev: bf, core: core(9) },
    { type: 'fail', op: 'publish', id: 'r9', dev: bf, code: 'audience_stale' },
    { type: 'invoke', op: 'suspend', id: 's1', dev: ml },
    { type: 'ok', op: 'suspend', id: 's1', dev: ml, ix: 30 },
    ...publish(4),
    ...[flu, ne].flatMap((dev) => [1, 2, 3, 4].map((n) => show(dev, n))),
    show(ml, 1),
    { type: 'ok', op: 'sample', id: 'relay-1', rss: 1e8, handles: 40 },
    { type: 'ok', op: 'audience', id: 'all', devs: [bf, ml, ne, flu] },
    { type: 'ok', op: 'audience', id: 'rest', devs: [bf, ne, flu] },
    ...[log(1, 'all'), log(2, 'all'), log(3, 'all'), log(4, 'rest')],
    ...[1, 2, 3, 4].map(
      (n): EventBody => ({ type: 'ok', op: 'leaf', id: 'leaf', core: core(n), ix: leafOf(n) }),
    ),
    { type: 'ok', op: 'leaf', id: 'directory', ix: 104, cur: 30 },
    { type: 'ok', op: 'sizes', id: 'log', leaves: 106, dir: 31 },
    { type: 'ok', op: 'again', id: 'again', dev: ne, cur: 2, cores: [core(3), core(4)] },
    { type: 'ok', op: 'scan', id: 'redis', bytes: 1e6, found: 0 },
    { type: 'ok', op: 'scan', id: 'a device', bytes: 1e6, found: 9, control: true },
    { type: 'ok', op: 'quiesce', id: 'end', devs: [ne, flu] },
  ]
}

type Spoil = (events: EventBody[]) => EventBody[]

const without = (is: (event: EventBody) => boolean): Spoil => {
  return (events) => events.filter((event) => !is(event))
}
const change = (is: (event: EventBody) => boolean, by: Partial<EventBody>): Spoil => {
  return (events) => events.map((event) => (is(event) ? { ...event, ...by } : event))
}
const add = (...more: EventBody[]): Spoil => {
  return (events) => [...events, ...more]
}
const shows = (dev: number, n: number) => (e: EventBody) =>
  e.op === 'show' && e.dev === dev && e.core === core(n)

/** What goes wrong, and every invariant that must notice. */
const bad: readonly (readonly [what: string, invariants: readonly string[], spoil: Spoil])[] = [
  [
    'an acknowledged report is in no log',
    ['I1', 'I7', 'I9'],
    without((e) => e.op === 'log' && e.cur === 3),
  ],
  ['an acknowledged report never reaches a reader', ['I1'], without(shows(ne, 4))],
  ['a run never comes to rest', ['I1'], without((e) => e.op === 'quiesce')],
  [
    'a report is shown that nobody sent',
    ['I2'],
    add({ type: 'ok', op: 'show', id: 'forged', dev: ne, core: core(77), kind: 'report' }),
  ],
  [
    'an entry stands in the log that nobody sent',
    ['I2'],
    without((e) => e.op === 'publish' && e.id === 'r1'),
  ],
  [
    'a report is shown twice',
    ['I3', 'I4'],
    add({ type: 'ok', op: 'show', id: 'r4', dev: ne, core: core(4), kind: 'report' }),
  ],
  [
    'two reports of one chain change places',
    ['I4'],
    (events) => {
      const [a, b] = [events.findIndex(shows(ne, 2)), events.findIndex(shows(ne, 3))]
      const out = [...events]
      ;[out[a], out[b]] = [events[b] as EventBody, events[a] as EventBody]
      return out
    },
  ],
  [
    'a report in the middle of a chain is left out without a word',
    ['I1', 'I4'],
    without(shows(ne, 2)),
  ],
  [
    'a relay sends to a suspended device',
    ['I5'],
    add({ type: 'ok', op: 'send', id: 'send', dev: ml, checked: 90 * second, bytes: 100 }),
  ],
  [
    'far more than the credit window arrives after a suspension',
    ['I5'],
    add({ type: 'ok', op: 'read', id: 'read', dev: ml, bytes: 5e6 }),
  ],
  [
    'a report is shown to whom it is not for',
    ['I4', 'I6'],
    add({ type: 'ok', op: 'show', id: 'r4', dev: ml, core: core(4), kind: 'report' }),
  ],
  [
    'a report stands behind a suspension and is sealed for whom it suspends',
    ['I6'],
    change((e) => e.op === 'leaf' && e.id === 'directory', { ix: 102 }),
  ],
  [
    'a report is shown that does not verify',
    ['I2'],
    change(shows(ne, 3), { kind: 'report conflict' }),
  ],
  [
    'a report is accepted for a device after its suspension',
    ['I6'],
    change((e) => e.op === 'log' && e.cur === 4, { kind: 'all' }),
  ],
  ['an accepted report has no leaf', ['I7'], without((e) => e.op === 'leaf' && e.ix === 103)],
  [
    'a report has two leaves',
    ['I7'],
    add({ type: 'ok', op: 'leaf', id: 'leaf', core: core(3), ix: 109 }),
  ],
  [
    'one report is acknowledged at two places',
    ['I7'],
    add({ type: 'ok', op: 'publish', id: 'r3', dev: bf, core: core(3), ix: 103, cur: 8 }),
  ],
  [
    'the audit log shrinks',
    ['I7'],
    add({ type: 'ok', op: 'sizes', id: 'log', leaves: 104, dir: 31 }),
  ],
  ['the text of a report lies in the store', ['I8'], change((e) => e.id === 'redis', { found: 1 })],
  [
    'the search for texts finds nothing anywhere',
    ['I8'],
    change((e) => e.control === true, { found: 0 }),
  ],
  ['nothing is searched', ['I8'], without((e) => e.op === 'scan')],
  [
    'a reader that begins anew misses a report',
    ['I9'],
    change((e) => e.op === 'again', { cores: [core(4)] }),
  ],
  ['a fault is never over', ['I10'], without((e) => e.op === 'fault' && e.type === 'ok')],
  [
    'nothing is acknowledged after a fault',
    ['I10'],
    add(
      { type: 'invoke', op: 'fault', id: 'f2', kind: 'redis-kill' },
      { type: 'ok', op: 'fault', id: 'f2', kind: 'redis-kill' },
    ),
  ],
  ['a relay takes too much memory', ['I11'], change((e) => e.op === 'sample', { rss: 9e9 })],
  ['a relay holds too many handles', ['I11'], change((e) => e.op === 'sample', { handles: 9_000 })],
  ['a refusal has no code', ['I12'], change((e) => e.type === 'fail', { code: 'nope' })],
  ['a report gets no answer', ['I12'], without((e) => e.type === 'fail')],
  [
    'a report stays unknown',
    ['I12'],
    add(
      { type: 'invoke', op: 'publish', id: 'r10', dev: bf, core: core(10) },
      { type: 'info', op: 'publish', id: 'r10', dev: bf },
    ),
  ],
  [
    'a report is refused and kept all the same',
    ['I12'],
    add(
      { type: 'invoke', op: 'publish', id: 'r10', dev: bf, core: core(3) },
      { type: 'fail', op: 'publish', id: 'r10', dev: bf, code: 'log_unavailable' },
    ),
  ],
]

const brokenIn = (verdict: Verdict): string[] => verdict.broken.map(({ invariant }) => invariant)

t.test('a good history is green, with its figures', async (t) => {
  const verdict = check(at(good()), demands)
  t.same(verdict.broken, [])
  t.same(verdict.invalid, [])
  t.match(verdict, {
    acknowledged: 4,
    refused: 1,
    lost: 0,
    duplicatesShown: 0,
    sentAfterSuspension: 0,
    suspensions: 1,
    shown: 9,
    faults: { 'relay-kill': 1 },
    acksAfterFaults: 3,
  })
})

t.test('every bad history is red for what is bad in it', async (t) => {
  for (const [what, invariants, spoil] of bad) {
    t.same(brokenIn(check(at(spoil(good())), demands)), invariants, what)
  }
  const all = new Set(bad.flatMap(([, invariants]) => invariants))
  t.equal(all.size, 12, 'each invariant has a history that breaks it')
})

t.test('a paused relay that had decided before the suspension is counted apart', async (t) => {
  const t0 = at(good()).findIndex((e) => e.op === 'suspend' && e.type === 'ok') + 1
  const send: EventBody = {
    type: 'ok',
    op: 'send',
    id: 's',
    dev: ml,
    checked: t0 * second,
    bytes: 9,
  }
  const verdict = check(at([...good(), send]), demands)
  t.same(verdict.broken, [])
  t.equal(verdict.sentAcrossPause, 1)
})

t.test('a device that was let in again is sent to again', async (t) => {
  const more: EventBody[] = [
    { type: 'invoke', op: 'resume', id: 's2', dev: ml },
    { type: 'ok', op: 'resume', id: 's2', dev: ml },
    { type: 'ok', op: 'send', id: 's', dev: ml, bytes: 9 },
  ]
  t.same(check(at([...good(), ...more]), demands).broken, [])
})

t.test('what happens in one network of a run is no excuse in another', async (t) => {
  const lost = at(without((e) => e.op === 'log' && e.cur === 3)(good())).map((e) => ({
    ...e,
    w: 'ha',
  }))
  const verdict = check([...at(good()), ...lost], demands)
  t.equal(verdict.lost, 1)
  t.equal(verdict.acknowledged, 8)
})

t.test('a run in which too little happened is invalid, not green', async (t) => {
  const few = check(at(good()), { faultsMin: 2, kinds: { 'redis-kill': 1 }, acksAfterFaultsMin: 9 })
  t.same(few.broken, [])
  t.same(few.invalid, [
    '1 faults, not 2',
    'redis-kill happened 0 times, not 1',
    '3 reports acknowledged after faults, not 9',
  ])
})
