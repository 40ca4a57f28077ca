import { RelayError } from '@liaison/protocol'
import { publishedText, type SchemaEntry, schemaRegistry } from '@liaison/schemas'
import {
  parseBody,
  reportNames,
  type Validation,
  validateControl,
  validateReport,
} from '@liaison/schemas/reports'
import type { Command } from 'commander'
import { type Context, type Options, type Process, runs } from './context.ts'
import { problemLine, problemObject, SilentExit, usage } from './failure.ts'
import { readBytes } from './files.ts'
import { clean, columns, type Output } from './output.ts'

/** Adds `liaison schema`. */
export function addSchema(program: Command, from: Process): void {
  const schema = program.command('schema').description('the report types of this release')
  const list = schema
    .command('list')
    .description('names and versions')
    .addHelpText('after', '\nExample:\n  $ liaison schema list\n')
  runs(list, from, listSchemas)
  const show = schema
    .command('show')
    .description('the published JSON Schema')
    .argument('<name>', 'name of a schema, such as spotrep')
    .addHelpText('after', '\nExample:\n  $ liaison schema show spotrep > spotrep.json\n')
  runs(show, from, showSchema)
  const validate = schema
    .command('validate')
    .description('check reports before they are sent; exit 6 when one is wrong')
    .argument('<file...>', 'report files; - is stdin')
    .option('--lines', 'each line of a file is one report (JSON lines)')
    .addHelpText(
      'after',
      '\nExamples:\n  $ liaison schema validate report.json\n  $ liaison schema validate --lines reports.jsonl\n',
    )
  runs(validate, from, validateFiles)
}

const isReport = (entry: SchemaEntry): boolean => reportNames.some((name) => name === entry.name)

async function listSchemas({ out }: Context): Promise<void> {
  const schemas = schemaRegistry.map((entry) => ({
    name: entry.name,
    version: entry.version,
    kind: isReport(entry) ? 'report' : 'control',
    id: entry.id,
    hash: entry.hash,
  }))
  out.data({ schemas }, () =>
    columns(schemas.map((s) => [s.name, `version ${s.version}`, s.kind, s.hash.slice(0, 16)])),
  )
}

async function showSchema({ out }: Context, [name = '']: readonly string[]): Promise<void> {
  const entry = schemaRegistry.find((one) => one.name === name)
  if (entry === undefined) {
    const names = schemaRegistry.map((one) => one.name).join(', ')
    throw new RelayError('not_found', { field: name, detail: `There are: ${names}` })
  }
  // The published bytes themselves, because the directory names them by their hash.
  out.raw(await publishedText(entry.name))
}

async function validateFiles(
  { out }: Context,
  files: readonly string[],
  options: Options,
): Promise<void> {
  if (files.filter((file) => file === '-').length > 1) throw usage('Stdin can be read once only.')
  let wrong = 0
  let count = 0
  for (const file of files) {
    const bytes = await readBytes(file)
    for (const [line, body] of options.flag('lines') ? linesOf(bytes) : [[null, bytes] as const]) {
      count++
      if (!validateBody(out, line === null ? { file } : { file, line }, body)) wrong++
    }
  }
  if (wrong === 0) return
  out.warn(`liaison: ${wrong} of ${count} not valid (content_invalid).`)
  throw new SilentExit(6)
}

const newline = 10

/** Lines with their numbers, from 1. Empty ones count and say nothing. */
function* linesOf(bytes: Uint8Array): Generator<readonly [number, Uint8Array]> {
  let line = 1
  for (let begin = 0; begin < bytes.length; line++) {
    const found = bytes.indexOf(newline, begin)
    const end = found < 0 ? bytes.length : found
    const body = bytes.subarray(begin, end)
    if (body.some((byte) => byte > 32)) yield [line, body]
    begin = end + 1
  }
}

const controlNames: ReadonlySet<unknown> = new Set(
  schemaRegistry.filter((entry) => !isReport(entry)).map(({ name }) => name),
)

/** Checks a report, or the body of a control message, whichever it says it is. */
function validate(value: unknown): Validation<{ readonly type?: string }> {
  const type =
    typeof value === 'object' && value !== null
      ? (value as { readonly type?: unknown }).type
      : undefined
  return controlNames.has(type) ? validateControl(value) : validateReport(value)
}

/** Says whether one report is valid. @returns whether it is. */
function validateBody(
  out: Output,
  where: { readonly file: string; readonly line?: number },
  body: Uint8Array,
): boolean {
  const parsed = parseBody(body)
  const valid = parsed.ok ? validate(parsed.value) : parsed
  const problems = valid.ok ? [] : valid.problems
  const type = valid.ok && 'type' in valid.value ? valid.value.type : null
  const name = `${clean(where.file)}${where.line === undefined ? '' : `, line ${where.line}`}`
  out.data({ ...where, ok: valid.ok, type, problems: problems.map(problemObject) }, () => [
    `${name}: ${valid.ok ? out.paint('green', `valid ${type}`) : out.paint('red', 'not valid')}`,
    ...problems.map((problem) => `  ${problemLine(problem)}`),
  ])
  return valid.ok
}
