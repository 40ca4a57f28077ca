import type { Operation, Standing } from './operations.ts'

/** What a statement must find untouched since its base, and what it changes, as opaque names. */
export interface Subjects {
  readonly untouched: readonly string[]
  readonly changes: readonly string[]
}

/** Which kind of subject a `suspend`, `revoke` or `resume` names, and its number. */
export type StandingSubject = { readonly what: 'dev' | 'mem' | 'adm'; readonly num: number }

/** The one subject of a change of standing; the schema admits exactly one. */
export function standingSubject(body: Standing): StandingSubject {
  if (body.dev !== undefined) return { what: 'dev', num: body.dev }
  if (body.mem !== undefined) return { what: 'mem', num: body.mem }
  return { what: 'adm', num: body.adm as number }
}

const both = (...names: readonly string[]): Subjects => ({ untouched: names, changes: names })

/**
 * Two statements that were written on the same base exclude each other only when one changes what
 * the other must find untouched. The names are chosen so that unrelated work by different
 * administrators never collides: two devices of one member, rights in two topics, two suspensions.
 */
export function subjectsOf(op: Operation): Subjects {
  switch (op.op) {
    case 'genesis':
      return both()
    case 'quorum':
      return { untouched: ['admins', 'admin standing'], changes: ['admins'] }
    case 'policy':
      return both('policy')
    case 'member':
    case 'topic':
    case 'schema':
      return op.body.num === undefined ? both() : both(`${op.op} ${op.body.num}`)
    case 'grant':
      return both(`grant ${op.body.top} ${op.body.mem}`)
    case 'enrol':
      return { untouched: [`member ${op.body.mem}`], changes: [] }
    case 'epoch':
      return both(`epoch ${op.body.dev}`)
    case 'suspend':
    case 'revoke':
    case 'resume':
      return standingSubjects(standingSubject(op.body))
  }
}

function standingSubjects({ what, num }: StandingSubject): Subjects {
  if (what === 'dev') return both(`device ${num}`)
  if (what === 'mem') return both(`member ${num}`)
  return { untouched: ['admins', `admin ${num}`], changes: ['admin standing', `admin ${num}`] }
}

/**
 * Entry numbers that a statement names. All must lie below its base: nobody can have meant a record
 * that did not exist when the statement was written.
 */
export function namedEntries(op: Operation): readonly number[] {
  switch (op.op) {
    case 'genesis':
    case 'quorum':
    case 'policy':
      return []
    case 'member':
    case 'schema':
      return op.body.num === undefined ? [] : [op.body.num]
    case 'topic':
      return op.body.num === undefined ? op.body.sch : [op.body.num, ...op.body.sch]
    case 'grant':
      return [op.body.top, op.body.mem]
    case 'enrol':
      return [op.body.mem]
    case 'epoch':
      return [op.body.dev]
    case 'suspend':
    case 'revoke':
    case 'resume': {
      const { what, num } = standingSubject(op.body)
      return what === 'adm' ? [] : [num]
    }
  }
}
