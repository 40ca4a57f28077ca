/** How something stands against its due date: not yet near, near, or past. */
export type Deadline = 'open' | 'due' | 'overdue'

/** The moment against which dates are held. */
export interface ClockOptions {
  /** Now, ms. */
  readonly now: number
  /** How long before its date something counts as due, ms; 48 hours unless told otherwise. */
  readonly dueWithinMs?: number
}

const dueWithinMsUsual = 48 * 3_600_000
const dayMs = 86_400_000

/** State of a deadline. @param due Moment (RFC 3339) or date; a date ends with its day, UTC. */
export function deadlineOf(due: string | undefined, clock: ClockOptions): Deadline {
  if (due === undefined) return 'open'
  const end = due.length > 10 ? Date.parse(due) : Date.parse(`${due}T00:00:00Z`) + dayMs
  if (clock.now > end) return 'overdue'
  return clock.now > end - (clock.dueWithinMs ?? dueWithinMsUsual) ? 'due' : 'open'
}
