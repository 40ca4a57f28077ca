/**
 * One line about what a session does, for the log of the program that embeds it. It never holds
 * content, names of reports or keys.
 */
export interface LogEntry {
  readonly level: 'info' | 'warn'
  /** `state`, `link-ended`, `notice`, `gap` or `directory`. */
  readonly event: string
  /** Code from the table of errors, where there is one. */
  readonly code?: string
  /** Plain facts: numbers and words. */
  readonly [fact: string]: string | number | boolean | undefined
}

/** Where the lines go. What it throws is dropped: a log must not stop a session. */
export type OnLog = (entry: LogEntry) => void

/** The same function, guarded. */
export const guardedLog =
  (onLog: OnLog | undefined): OnLog =>
  (entry) => {
    try {
      onLog?.(entry)
    } catch {
      // See above.
    }
  }
