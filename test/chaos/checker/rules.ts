/** What must hold of every history: one function for each invariant. Each gives a line per offence. */
import { isErrorCode } from '@liaison/protocol'
import type { Entry, Facts, Shown } from './facts.ts'

/** Limits that the rules compare with. */
export interface RuleLimits {
  /** After a fault is over somebody must be able to publish within this time, ns. */
  readonly healNsMax: number
  /** What may still reach a device after its suspension: its credit window and what was on the wire. */
  readonly readAfterBytesMax: number
  readonly rssMax: number
  readonly handlesMax: number
}

/** Usual limits. */
export const usualLimits: RuleLimits = {
  healNsMax: 30e9,
  readAfterBytesMax: 2 * 1024 * 1024,
  rssMax: 700 * 1024 * 1024,
  handlesMax: 600,
}

type Rule = (facts: Facts, limits: RuleLimits) => string[]

const short = (core: string): string => core.slice(0, 12)

/** Entries that a device must have in the end. */
const owedTo = (facts: Facts, dev: number): Entry[] =>
  [...facts.log.values()].filter((e) => e.dev !== dev && e.audience.includes(dev))

const byReader = (facts: Facts): Map<number, Shown[]> => {
  const out = new Map<number, Shown[]>()
  for (const one of facts.shown) {
    const list = out.get(one.dev) ?? []
    list.push(one)
    out.set(one.dev, list)
  }
  return out
}

/** Acknowledged reports that are not in the log at the end. */
export const lostReports = (facts: Facts): string[] =>
  [...facts.attempts.values()]
    .filter((a) => a.ended?.type === 'ok' && !facts.log.has(a.core ?? ''))
    .map((a) => `report ${a.id} was acknowledged and is not in the log`)

/** I1: what was acknowledged is in the log, and reached everybody whom it was sealed for. */
const kept: Rule = (facts) => {
  const problems = lostReports(facts)
  if (facts.quiesce === null) return [...problems, 'the run never came to rest']
  const readers = byReader(facts)
  for (const dev of facts.quiesce.devs ?? []) {
    const have = new Set((readers.get(dev) ?? []).map((s) => s.core))
    const missing = owedTo(facts, dev).filter(({ core }) => !have.has(core))
    for (const { core, cur } of missing.slice(0, 3)) {
      problems.push(
        `device ${dev} never showed ${short(core)} at ${cur} (${missing.length} missing)`,
      )
    }
  }
  return problems
}

/** What a device may show: what verified, an envelope as it came, or one that it cannot open. */
const kinds = new Set(['report', 'notice', 'raw', 'closed'])

/** I2: nothing is shown, or in the log, that nobody sent. */
const invoked: Rule = (facts) => {
  const ids = new Set(facts.attempts.keys())
  const cores = new Set<string>()
  const openSenders = new Set<number>()
  for (const { core, ended, dev } of facts.attempts.values()) {
    if (core !== undefined) cores.add(core)
    if (core === undefined && ended?.type !== 'fail') openSenders.add(dev)
  }
  const problems: string[] = []
  const complaining = new Set(facts.shown.flatMap((s) => (s.kind === 'closed' ? [s.dev] : [])))
  for (const { core, dev, isNotice } of facts.log.values()) {
    if (isNotice && complaining.has(dev)) continue
    if (!cores.has(core) && !openSenders.has(dev)) problems.push(`${short(core)}: nobody sent it`)
  }
  for (const { dev, id, core, kind } of facts.shown) {
    const known = cores.has(core) || facts.log.has(core)
    if (!kinds.has(kind)) problems.push(`device ${dev} showed ${id} as ${kind}`)
    if (!known) problems.push(`device ${dev} showed ${short(core)}, which is in no log`)
    if (kind === 'report' && !ids.has(id))
      problems.push(`device ${dev} showed ${id}: nobody sent it`)
  }
  return problems
}

/** Things that a device showed more than once. */
export function shownTwice(facts: Facts): string[] {
  const problems: string[] = []
  for (const [dev, list] of byReader(facts)) {
    const ids = new Set<string>()
    const cores = new Set<string>()
    for (const { id, core } of list) {
      if (ids.has(id) || cores.has(core)) problems.push(`device ${dev} showed ${id} again`)
      ids.add(id)
      cores.add(core)
    }
  }
  return problems
}

/** I3: shown once. */
const once: Rule = shownTwice

/** I4: the reports of one chain are shown in its order, and nothing is left out without a word. */
const ordered: Rule = (facts) => {
  const problems: string[] = []
  const told = new Set(facts.gaps.map((gap) => `${gap.dev}`))
  for (const [dev, list] of byReader(facts)) {
    const last = new Map<string, Entry>()
    const first = new Map<string, Entry>()
    const count = new Map<string, number>()
    for (const { core } of list) {
      const entry = facts.log.get(core)
      if (entry === undefined) continue
      const before = last.get(entry.chain)
      if (before !== undefined && entry.seq <= before.seq) {
        problems.push(`device ${dev} showed place ${entry.seq} of a chain after ${before.seq}`)
      }
      last.set(entry.chain, entry)
      if (!first.has(entry.chain)) first.set(entry.chain, entry)
      count.set(entry.chain, (count.get(entry.chain) ?? 0) + 1)
    }
    if (told.has(`${dev}`)) continue
    const owedHere = owedTo(facts, dev)
    for (const [chain, entry] of last) {
      const from = first.get(chain)?.seq ?? 0
      const owed = owedHere.filter(
        (e) => e.chain === chain && e.seq >= from && e.seq <= entry.seq,
      ).length
      const seen = count.get(chain) ?? 0
      if (seen < owed)
        problems.push(`device ${dev} lacks ${owed - seen} of a chain and was not told`)
    }
  }
  return problems
}

/** Frames that a relay began to send to a device after its suspension was acknowledged. */
export function sentAfterSuspension(facts: Facts): string[] {
  const problems: string[] = []
  for (const [dev, outs] of facts.outs) {
    for (const send of facts.sends.get(dev) ?? []) {
      const decided = send.checked ?? send.t
      if (outs.some(({ from, to }) => decided > from && send.t < to)) {
        problems.push(`${send.proc} sent to device ${dev} after its suspension`)
      }
    }
  }
  return problems
}

/** I5: after a suspension nothing is sent, and little arrives that was under way. */
const suspended: Rule = (facts, { readAfterBytesMax }) => {
  const problems = sentAfterSuspension(facts)
  for (const [dev, outs] of facts.outs) {
    for (const { from, to } of outs) {
      const after = (facts.reads.get(dev) ?? []).filter(({ t }) => t > from && t < to)
      const bytes = after.reduce((sum, read) => sum + (read.bytes ?? 0), 0)
      if (bytes > readAfterBytesMax) problems.push(`device ${dev} read ${bytes} bytes afterwards`)
    }
  }
  return problems
}

/** I6: nobody is shown, and nothing is accepted for, whoever was not in the audience. */
const entitled: Rule = (facts) => {
  const problems: string[] = []
  for (const { dev, core } of facts.shown) {
    const entry = facts.log.get(core)
    if (entry !== undefined && !entry.audience.includes(dev)) {
      problems.push(`device ${dev} showed ${short(core)}, which is not for it`)
    }
  }
  for (const { id, begun, core, ended } of facts.attempts.values()) {
    const entry = facts.log.get(core ?? '')
    if (ended?.type !== 'ok' || entry === undefined) continue
    for (const dev of entry.audience) {
      const late = (facts.outs.get(dev) ?? []).some(({ from, to }) => begun > from && ended.t < to)
      if (late) problems.push(`report ${id} was accepted for device ${dev} after its suspension`)
    }
  }
  return [...problems, ...pastTheFence(facts)]
}

/** Entries that stand in the log behind a suspension and are sealed for whom it suspends. */
function pastTheFence({ log, entryLeaves, statements }: Facts): string[] {
  const order = [
    ...[...log.values()].map((entry) => ({ ix: entry.ix, entry, index: -1 })),
    ...entryLeaves.map(({ ix = -1, cur = -1 }) => ({ ix, entry: null, index: cur })),
  ].sort((a, b) => a.ix - b.ix)
  const out = new Set<number>()
  const problems: string[] = []
  for (const { entry, index } of order) {
    const statement = statements.get(index)
    if (statement?.op === 'suspend') out.add(statement.dev)
    if (statement?.op === 'resume') out.delete(statement.dev)
    for (const dev of entry?.audience ?? []) {
      if (out.has(dev))
        problems.push(`leaf ${entry?.ix} is sealed for device ${dev}, suspended before`)
    }
  }
  return problems
}

/** I7: each acknowledgement has its leaf, each accepted report exactly one, and no log shrinks. */
const audited: Rule = (facts) => {
  const problems: string[] = []
  const byCore = new Map<string, number[]>()
  const byIndex = new Map<number, string>()
  for (const { ix = -1, core = '' } of facts.leaves) {
    byCore.set(core, [...(byCore.get(core) ?? []), ix])
    if (byIndex.has(ix)) problems.push(`leaf ${ix} stands twice`)
    byIndex.set(ix, core)
  }
  for (const { core, ix } of facts.log.values()) {
    const leaves = byCore.get(core) ?? []
    if (leaves.length !== 1) problems.push(`${short(core)} has ${leaves.length} leaves`)
    else if (leaves[0] !== ix)
      problems.push(`${short(core)}: leaf ${leaves[0]}, receipt says ${ix}`)
  }
  for (const core of byCore.keys()) {
    if (!facts.log.has(core)) problems.push(`a leaf for ${short(core)}, which is not in the log`)
  }
  for (const core of facts.twiceInLog) problems.push(`${short(core)} stands in the log twice`)
  const places = new Map<string, string>()
  for (const { type, core = '', ix, cur } of facts.endings) {
    if (type !== 'ok') continue
    const place = `leaf ${ix}, cursor ${cur}`
    const before = places.get(core) ?? place
    if (before !== place) problems.push(`${short(core)} was acknowledged at ${before} and ${place}`)
    places.set(core, place)
    if (ix === undefined || byIndex.get(ix) !== core) {
      problems.push(`the receipt of ${short(core)} names leaf ${ix}, which is another one's`)
    }
  }
  let [leaves, dir] = [0, 0]
  for (const size of facts.sizes) {
    if ((size.leaves ?? 0) < leaves) problems.push(`the audit log shrank to ${size.leaves}`)
    if ((size.dir ?? 0) < dir) problems.push(`the directory shrank to ${size.dir}`)
    leaves = Math.max(leaves, size.leaves ?? 0)
    dir = Math.max(dir, size.dir ?? 0)
  }
  return problems
}

/** I8: the text of reports is nowhere but on the devices. */
const secret: Rule = ({ scans }) => {
  const problems = scans
    .filter(({ control, found = 0 }) => control !== true && found > 0)
    .map(({ id, found }) => `${found} texts of reports in ${id}`)
  if (scans.length === 0) return ['nothing was searched for the text of reports']
  for (const { id, control, found = 0, bytes = 0 } of scans) {
    if (control === true && found === 0) problems.push(`the search did not find what is in ${id}`)
    if (bytes === 0) problems.push(`nothing was read of ${id}`)
  }
  return problems
}

/** I9: whoever begins anew at an old cursor gets exactly what follows it. */
const resumed: Rule = (facts) => {
  const problems: string[] = []
  for (const { dev = 0, cur = 0, cores = [] } of facts.again) {
    const expected = [...facts.log.values()]
      .filter((entry) => entry.cur > cur && entry.audience.includes(dev))
      .sort((a, b) => a.cur - b.cur)
      .map(({ core }) => core)
    const at = expected.findIndex((core, i) => core !== cores[i])
    if (at >= 0 || cores.length !== expected.length) {
      problems.push(
        `device ${dev} from ${cur}: ${cores.length} of ${expected.length}, other at ${at}`,
      )
    }
  }
  return facts.again.length === 0 ? ['nobody began anew at an old cursor'] : problems
}

/** I10: soon after a fault is over reports are taken again. */
const lively: Rule = (facts, { healNsMax }) => {
  const problems: string[] = []
  const good = [...facts.attempts.values()]
    .filter(({ ended }) => ended?.type === 'ok')
    .map(({ begun, ended }) => ({ begun, ended: ended?.t ?? 0 }))
    .sort((a, b) => a.begun - b.begun)
  for (const { kind, healed, problem } of facts.faults) {
    if (healed === null) problems.push(`${kind} was never over: ${problem}`)
    else if (!good.some(({ begun, ended }) => begun >= healed && ended <= healed + healNsMax)) {
      problems.push(`nothing was acknowledged for ${healNsMax / 1e9} s after ${kind}`)
    }
  }
  return problems
}

/** I11: no process grows without bound. */
const bounded: Rule = ({ samples }, { rssMax, handlesMax }) => {
  const worst = new Map<string, { rss: number; handles: number }>()
  for (const { id, rss = 0, handles = 0 } of samples) {
    const before = worst.get(id) ?? { rss: 0, handles: 0 }
    worst.set(id, {
      rss: Math.max(rss, before.rss),
      handles: Math.max(handles, before.handles),
    })
  }
  if (worst.size === 0) return ['no process was measured']
  return [...worst].flatMap(([id, { rss, handles }]) => [
    ...(rss > rssMax ? [`${id} took ${Math.round(rss / 2 ** 20)} MiB`] : []),
    ...(handles > handlesMax ? [`${id} held ${handles} handles`] : []),
  ])
}

/** I12: every report ends in one answer, and every refusal says why. */
const answered: Rule = (facts) => {
  const problems: string[] = []
  const known = (code: string | undefined): boolean => code !== undefined && isErrorCode(code)
  for (const { id, ended, core } of facts.attempts.values()) {
    if (ended === null) problems.push(`report ${id} got no answer`)
    else if (ended.type === 'info') problems.push(`report ${id} is unknown to the end`)
    else if (ended.type === 'fail') {
      if (!known(ended.code))
        problems.push(`report ${id} was refused with ${ended.code ?? 'no code'}`)
      if (facts.log.has(core ?? '')) problems.push(`report ${id} was refused and is in the log`)
    }
  }
  for (const { id, code } of facts.refusals) {
    if (!known(code)) problems.push(`${id} was refused with ${code ?? 'no code'}`)
  }
  return problems
}

/** The rules by the name of their invariant. */
export const rules: Readonly<Record<string, Rule>> = {
  I1: kept,
  I2: invoked,
  I3: once,
  I4: ordered,
  I5: suspended,
  I6: entitled,
  I7: audited,
  I8: secret,
  I9: resumed,
  I10: lively,
  I11: bounded,
  I12: answered,
}
