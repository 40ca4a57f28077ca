/**
 * What happened in a run, one JSON object a line. Every process writes a file of its own, so that a
 * killed one loses nothing and continues it in its next life; the files are joined at the end.
 */
import { appendFileSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** How an operation stands. `info` is an unknown outcome: it happened or it did not, never both. */
export type EventType = 'invoke' | 'ok' | 'fail' | 'info'

/** What an event is about. */
export type EventOp =
  /** A report on its way to the log. */
  | 'publish'
  /** A report, or what stands in its place, as a device showed it. */
  | 'show'
  /** A sender's chain has places that a reader has not seen, and was told so. */
  | 'gap'
  /** Statements of administrators about one device. */
  | 'suspend'
  | 'resume'
  /** A relay hands a frame with items to a socket. */
  | 'send'
  /** A client takes such a frame in. */
  | 'read'
  | 'fault'
  /** One entry of the topic as it stands at the end. */
  | 'log'
  /** The devices that an entry was sealed for. */
  | 'audience'
  /** An audit leaf of an accepted report, and how many leaves and entries there are. */
  | 'leaf'
  | 'sizes'
  /** A reader began anew from an old cursor, after everything. */
  | 'again'
  /** A place that was searched for the text of reports. */
  | 'scan'
  /** Memory and handles of a process. */
  | 'sample'
  /** A refusal that is no answer to a publish. */
  | 'refusal'
  /** The faults are over and the queues are empty; the devices that must have everything. */
  | 'quiesce'

/** One line. Which further fields there are depends on `op`. */
export interface HistoryEvent {
  /** Monotonic clock of the machine, ns. */
  readonly t: number
  /** Part of the run: the networks of a run know nothing of each other. */
  readonly w: string
  readonly proc: string
  readonly type: EventType
  readonly op: EventOp
  /** Name of the report, device, fault or place. */
  readonly id: string
  /** Device that sends, shows, reads, or is suspended. */
  readonly dev?: number
  /** Core hash, hex. */
  readonly core?: string
  readonly code?: string
  readonly kind?: string
  /** Cursor in the topic. */
  readonly cur?: number
  /** Index of the audit leaf, or of a directory entry. */
  readonly ix?: number
  /** Chain and place of a report in it. */
  readonly chain?: string
  readonly seq?: number
  readonly to?: number
  /** Device numbers. */
  readonly devs?: readonly number[]
  readonly cores?: readonly string[]
  /** When the relay last made sure of its right to send, ns. */
  readonly checked?: number
  readonly bytes?: number
  readonly found?: number
  /** A place where the text must be found, or the search itself is broken. */
  readonly control?: boolean
  readonly rss?: number
  readonly handles?: number
  readonly leaves?: number
  readonly dir?: number
  readonly detail?: string
}

/** What a writer adds by itself. */
export type EventBody = Omit<HistoryEvent, 't' | 'w' | 'proc'> & { readonly t?: number }

/** The clock that all processes of a machine share, ns. */
export const monotonicNs = (): number => Number(process.hrtime.bigint())

/** Appends to the file of one process. */
export class HistoryWriter {
  readonly file: string
  readonly #handle: number
  readonly #world: string
  readonly #proc: string

  constructor(folder: string, world: string, proc: string) {
    this.file = join(folder, `${world}-${proc}.ndjson`)
    this.#handle = openSync(this.file, 'a')
    this.#world = world
    this.#proc = proc
  }

  /** Written when this returns, whatever becomes of the process. */
  add(body: EventBody): void {
    const event = { t: monotonicNs(), w: this.#world, proc: this.#proc, ...body }
    writeSync(this.#handle, `${JSON.stringify(event)}\n`)
  }
}

const linesOf = (text: string): HistoryEvent[] =>
  // A process that was killed in the middle of a line has not written it.
  text.split('\n').flatMap((line) => (line.endsWith('}') ? [JSON.parse(line) as HistoryEvent] : []))

/** What one process has written so far. */
export const eventsIn = (file: string): HistoryEvent[] => linesOf(readFileSync(file, 'utf8'))

/** What the earlier lives of this process wrote; only the process itself may call it. */
export function eventsOfEarlierLives(file: string): HistoryEvent[] {
  const text = readFileSync(file, 'utf8')
  // Half a line would swallow the first one of this life.
  if (text !== '' && !text.endsWith('\n')) appendFileSync(file, '\n')
  return linesOf(text)
}

/** Joins the files of all processes into one, in the order of time, and gives what it holds. */
export async function joinHistory(folder: string, target: string): Promise<HistoryEvent[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ndjson'))
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
  const events = texts.flatMap(linesOf).sort((a, b) => a.t - b.t)
  writeFileSync(target, events.map((event) => `${JSON.stringify(event)}\n`).join(''))
  return events
}
