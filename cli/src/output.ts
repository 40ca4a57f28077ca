/** Version of every JSON object that the command prints. */
export const schemaVersion = 1

/** A JSON object for programs. */
export type JsonObject = { readonly [key: string]: unknown }

/** Colours of a terminal, by their numbers in ECMA-48. */
const styles = { bold: 1, dim: 2, red: 31, yellow: 33, green: 32 } as const

/** Where things are written; a process, or a test. */
export interface Streams {
  readonly stdout: Pick<NodeJS.WriteStream, 'write' | 'isTTY'>
  readonly stderr: Pick<NodeJS.WriteStream, 'write' | 'isTTY'>
}

/** How it is written. */
export interface OutputOptions {
  readonly json: boolean
  readonly quiet: boolean
  /** False when the environment asks for no colour. */
  readonly colour: boolean
  /** True for a terminal that cannot move its cursor. */
  readonly dumb?: boolean
}

/** Data for the next program on stdout, words for a person on stderr. */
export class Output {
  readonly json: boolean
  readonly #streams: Streams
  readonly #options: OutputOptions
  #status = ''

  constructor(streams: Streams, options: OutputOptions) {
    this.json = options.json
    this.#streams = streams
    this.#options = options
  }

  /** The result: one JSON object on one line, or lines for a person. */
  data(object: JsonObject, lines: () => readonly string[]): void {
    this.#clear()
    if (this.json) this.#streams.stdout.write(`${JSON.stringify({ schemaVersion, ...object })}\n`)
    else for (const line of lines()) this.#streams.stdout.write(`${line}\n`)
  }

  /** Bytes as they are, such as a file asked for on stdout. */
  raw(text: string): void {
    this.#streams.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
  }

  /** A word for the person: progress, what to do next. */
  say(...lines: readonly string[]): void {
    if (!this.#options.quiet) this.warn(...lines)
  }

  /** A word that is said even under `--quiet`. */
  warn(...lines: readonly string[]): void {
    this.#clear()
    for (const line of lines) this.#streams.stderr.write(`${line}\n`)
  }

  /** Whether a line on stderr may be drawn over itself. */
  get redraws(): boolean {
    const { quiet, dumb = false } = this.#options
    return this.#streams.stderr.isTTY === true && !quiet && !dumb
  }

  /** Draws a line on a terminal in place of the one before, until the next word; null takes it away. */
  status(line: string | null): void {
    if (line === null) this.#clear()
    else if (this.redraws && line !== this.#status) {
      this.#streams.stderr.write(`\r${line}\u001B[K`)
      this.#status = line
    }
  }

  #clear(): void {
    if (this.#status !== '') this.#streams.stderr.write('\r\u001B[K')
    this.#status = ''
  }

  /** Text for stdout, coloured when that is a terminal that may have colour. */
  paint(style: keyof typeof styles, text: string): string {
    return this.#coloured(this.#streams.stdout, style, text)
  }

  /** Text for stderr, coloured likewise. */
  paintError(style: keyof typeof styles, text: string): string {
    return this.#coloured(this.#streams.stderr, style, text)
  }

  #coloured(stream: Streams['stdout'], style: keyof typeof styles, text: string): string {
    if (!this.#options.colour || stream.isTTY !== true) return text
    return `\u001B[${styles[style]}m${text}\u001B[0m`
  }
}

/**
 * What nobody sees, or what steers a terminal. Not the joiners between letters, which Arabic and Persian
 * need, and not the few signs of the Arabic script that count as formats but show.
 */
const unseen =
  /(?<=\p{L}\p{M}?)([\u200C\u200D])(?=\p{L})|(?![\u0600-\u0605\u06DD\u070F\u08E2])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu

/**
 * Text of somebody else, fit for a terminal: control characters, those that turn the direction of
 * writing and those that nobody can see are shown by their number, so that no report can move the
 * cursor, reorder a line or hide words in it.
 */
export const clean = (text: string): string =>
  text.replace(unseen, (c, joiner?: string) =>
    joiner === undefined ? `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}` : c,
  )

/** A moment as officers write it, in UTC to the minute. */
export const moment = (ms: number): string =>
  `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')}Z`

/** Rows in columns as wide as their widest cell. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, [...cell].length)
  }
  return rows.map((row) =>
    row
      .map((cell, i) => cell + ' '.repeat((widths[i] ?? 0) - [...cell].length))
      .join('  ')
      .trimEnd(),
  )
}

/** Text broken between words into lines of at most so many characters. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && [...longer].length > width) {
      lines.push(line)
      line = word
    } else line = longer
  }
  return [...lines, line]
}

/** A count with its noun: `1 device`, `2 devices`. */
export const counted = (n: number, one: string, many: string = `${one}s`): string =>
  `${n} ${n === 1 ? one : many}`
