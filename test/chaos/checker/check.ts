import type { HistoryEvent } from '../history.ts'
import { Facts } from './facts.ts'
import {
  lostReports,
  type RuleLimits,
  rules,
  sentAfterSuspension,
  shownTwice,
  usualLimits,
} from './rules.ts'

/** What a run must have gone through before its result means anything. */
export interface Demands {
  readonly faultsMin: number
  /** Kinds of faults, and how often each must have happened. */
  readonly kinds: Readonly<Record<string, number>>
  /** Reports acknowledged after the first fault. */
  readonly acksAfterFaultsMin: number
}

/** A broken invariant. */
export interface Broken {
  readonly invariant: string
  readonly offences: number
  /** The first of them. */
  readonly examples: readonly string[]
}

/** What a history shows. */
export interface Verdict {
  readonly broken: readonly Broken[]
  /** Why the run shows nothing, whatever else it says; empty when it does. */
  readonly invalid: readonly string[]
  readonly acknowledged: number
  readonly refused: number
  readonly lost: number
  readonly duplicatesShown: number
  readonly sentAfterSuspension: number
  /** Frames whose relay was paused between its check and its write; they carry nothing sealed later. */
  readonly sentAcrossPause: number
  readonly suspensions: number
  readonly shown: number
  readonly faults: Readonly<Record<string, number>>
  readonly acksAfterFaults: number
}

const examplesMax = 5

/** Judges the history of a run: one pass over it, then the rules, for each network by itself. */
export function check(
  events: readonly HistoryEvent[],
  demands: Demands,
  limits: RuleLimits = usualLimits,
): Verdict {
  const worlds = new Map<string, HistoryEvent[]>()
  for (const event of events) {
    const list = worlds.get(event.w) ?? []
    list.push(event)
    worlds.set(event.w, list)
  }
  const all = [...worlds.values()].map((world) => new Facts(world))
  const offences = new Map<string, string[]>()
  for (const facts of all) {
    for (const [name, rule] of Object.entries(rules)) {
      offences.set(name, [...(offences.get(name) ?? []), ...rule(facts, limits)])
    }
  }
  const counts = countsOf(all)
  return {
    broken: [...offences]
      .filter(([, list]) => list.length > 0)
      .map(([invariant, list]) => ({
        invariant,
        offences: list.length,
        examples: list.slice(0, examplesMax),
      })),
    invalid: shortOf(counts, demands),
    ...counts,
  }
}

type Counts = Omit<Verdict, 'broken' | 'invalid'>

function countsOf(all: readonly Facts[]): Counts {
  const sum = (count: (facts: Facts) => number): number =>
    all.reduce((total, facts) => total + count(facts), 0)
  const ended = (facts: Facts, type: string) =>
    [...facts.attempts.values()].filter((a) => a.ended?.type === type)
  const faults: Record<string, number> = {}
  for (const facts of all) {
    for (const { kind, healed } of facts.faults) {
      if (healed !== null) faults[kind] = (faults[kind] ?? 0) + 1
    }
  }
  return {
    acknowledged: sum((facts) => ended(facts, 'ok').length),
    refused: sum((facts) => ended(facts, 'fail').length),
    lost: sum((facts) => lostReports(facts).length),
    duplicatesShown: sum((facts) => shownTwice(facts).length),
    sentAfterSuspension: sum((facts) => sentAfterSuspension(facts).length),
    sentAcrossPause: sum(sentAcrossPause),
    suspensions: sum((facts) => [...facts.outs.values()].flat().length),
    shown: sum((facts) => facts.shown.length),
    faults,
    acksAfterFaults: sum((facts) => {
      const first = facts.faults[0]?.begun ?? Number.POSITIVE_INFINITY
      return ended(facts, 'ok').filter(({ begun }) => begun > first).length
    }),
  }
}

function sentAcrossPause(facts: Facts): number {
  let count = 0
  for (const [dev, outs] of facts.outs) {
    for (const { t, checked = t } of facts.sends.get(dev) ?? []) {
      if (outs.some(({ from, to }) => t > from && t < to && checked <= from)) count++
    }
  }
  return count
}

function shortOf(counts: Counts, { faultsMin, kinds, acksAfterFaultsMin }: Demands): string[] {
  const total = Object.values(counts.faults).reduce((sum, n) => sum + n, 0)
  const problems: string[] = []
  if (total < faultsMin) problems.push(`${total} faults, not ${faultsMin}`)
  for (const [kind, min] of Object.entries(kinds)) {
    const n = counts.faults[kind] ?? 0
    if (n < min) problems.push(`${kind} happened ${n} times, not ${min}`)
  }
  if (counts.acksAfterFaults < acksAfterFaultsMin) {
    problems.push(
      `${counts.acksAfterFaults} reports acknowledged after faults, not ${acksAfterFaultsMin}`,
    )
  }
  return problems
}
