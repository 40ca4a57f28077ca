/**
 * Counts what tap reports with `--reporter=jsonstream`: one JSON array `[kind, data]` a line, where
 * a suite of level 1 is a test file.
 */

/** What became of one test file. */
export interface FileResult {
  readonly file: string
  readonly ok: boolean
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly ms: number
  /** One text per failure, with its diagnostics. */
  readonly failures: readonly string[]
}

interface Point {
  readonly name?: string
  readonly fullname?: string
  readonly level?: number
  readonly ok?: boolean
  readonly skip?: string | boolean
  readonly time?: number
  readonly diag?: Readonly<Record<string, unknown>>
}

const shownDiagnostics = [
  'diff',
  'found',
  'wanted',
  'code',
  'signal',
  'exitCode',
  'timeout',
  'stack',
]

function describe(title: string, diag: Readonly<Record<string, unknown>> = {}): string {
  const details = shownDiagnostics
    .filter((key) => diag[key] !== undefined && diag[key] !== null)
    .map((key) => {
      const value = diag[key]
      const text = typeof value === 'string' ? value.trimEnd() : JSON.stringify(value)
      return text.includes('\n')
        ? `  ${key}:\n${text.replaceAll(/^/gm, '    ')}`
        : `  ${key}: ${text}`
    })
  return [`not ok: ${title}`, ...details].join('\n')
}

function parse(line: string): readonly [string, Point] | undefined {
  try {
    const value: unknown = JSON.parse(line)
    if (!Array.isArray(value) || value.length !== 2 || typeof value[0] !== 'string')
      return undefined
    return [value[0], value[1] as Point]
  } catch {
    // tap also prints plain lines, such as where it wrote the coverage report.
    return undefined
  }
}

/** Takes the lines one by one and knows at any time how the run stands. */
export class TestTally {
  readonly #expected: readonly string[]
  readonly #done: FileResult[] = []
  readonly #open = new Map<string, { passed: number; skipped: number; failures: string[] }>()

  /** `files`: every file that must be reported, named as tap names it. */
  constructor(files: readonly string[]) {
    this.#expected = files
  }

  /** Takes one line; gives the result of a file when the line ends it. */
  line(text: string): FileResult | undefined {
    const entry = parse(text)
    if (entry === undefined) return undefined
    const [kind, point] = entry
    if (kind === 'end') return point.level === 1 ? this.#endFile(point) : undefined
    const name = point.fullname ?? point.name ?? ''
    const counts = this.#countsOf(name.split(' > ')[0] ?? '')
    if (kind === 'pass') counts.passed += 1
    if (kind === 'skip' || kind === 'todo') counts.skipped += 1
    if (kind === 'fail') counts.failures.push(describe(name, point.diag))
    return undefined
  }

  /** Files of which no result came. */
  unreported(): readonly { readonly file: string }[] {
    const seen = new Set(this.#done.map(({ file }) => file))
    return this.#expected.filter((file) => !seen.has(file)).map((file) => ({ file }))
  }

  /** Files that have ended. */
  files(): readonly FileResult[] {
    return this.#done
  }

  /** Assertions so far; a file that was never reported is one failure. */
  totals(): { readonly passed: number; readonly failed: number } {
    const sum = (pick: (result: FileResult) => number) =>
      this.#done.reduce((total, result) => total + pick(result), 0)
    return {
      passed: sum(({ passed }) => passed),
      failed: sum(({ failed }) => failed) + this.unreported().length,
    }
  }

  #countsOf(file: string): { passed: number; skipped: number; failures: string[] } {
    const known = this.#open.get(file)
    if (known !== undefined) return known
    const fresh = { passed: 0, skipped: 0, failures: [] }
    this.#open.set(file, fresh)
    return fresh
  }

  #endFile(point: Point): FileResult {
    const file = point.name ?? ''
    const { passed, skipped, failures } = this.#countsOf(file)
    const texts = [...failures]
    // A crash, a time-out or a missing plan fails the file although every assertion may be good.
    if (point.ok !== true && texts.length === 0) texts.push(describe(file, point.diag))
    const ranNothing = passed + skipped + texts.length === 0
    const isSkipped = typeof point.skip === 'string' && point.skip !== 'no tests found'
    if (ranNothing && !isSkipped) texts.push(describe(`${file} ran no test`))
    const result: FileResult = {
      file,
      ok: texts.length === 0,
      passed,
      failed: texts.length,
      skipped: skipped + (ranNothing && isSkipped ? 1 : 0),
      ms: point.time ?? 0,
      failures: texts,
    }
    this.#done.push(result)
    return result
  }
}
