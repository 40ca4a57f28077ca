/** Makes the generated part of docs/reports.md from the published schemas, their examples and the checks. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { problemGroups } from '../schemas/src/problem.ts'
import { checkWordings, typeWordings } from '../schemas/tools/wordings.ts'

type Schema = Readonly<Record<string, unknown>>

const begin = '<!-- From here on made from the schemas by `npm run generate`. -->'

/** Fields that every report has and that have a section of their own. */
const commonNames = new Set([
  'type',
  'version',
  'meta',
  'title',
  'summary',
  'grading',
  'observed',
  'places',
  'actors',
  'discipline',
  'derivedFrom',
  'likelihood',
  'comment',
  'x',
])

/**
 * The text of docs/reports.md: what people wrote, up to the mark, and after it what the schemas say.
 *
 * @param before The file as it is.
 * @param root Folder of the schemas.
 * @throws Error when the mark is missing, or a type or check has no wording.
 */
export async function reportsDocument(before: string, root: string): Promise<string> {
  const at = before.indexOf(begin)
  if (at === -1) throw new Error(`docs/reports.md lacks the line ${begin}`)
  const schemas = await reportSchemas(root)
  const first = schemas[0]?.[1]
  if (first === undefined) throw new Error('no report schemas')
  const sections = await Promise.all(
    schemas.map(([name, schema]) => typeSection(root, name, schema)),
  )
  return [before.slice(0, at) + begin, commonSection(first), ...sections, checksSection(), '']
    .join('\n\n')
    .replace(/\n+$/, '\n')
}

async function reportSchemas(root: string): Promise<readonly (readonly [string, Schema])[]> {
  const files = (await readdir(join(root, 'reports'))).sort()
  return Promise.all(
    files.map(async (file) => {
      const name = file.replace('.schema.json', '')
      const text = await readFile(join(root, 'published', `${name}-1.json`), 'utf8')
      return [name, JSON.parse(text) as Schema] as const
    }),
  )
}

const cell = (text: string): string => text.replaceAll('|', '\\|')
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n')

const propertiesOf = (schema: Schema): readonly (readonly [string, Schema])[] =>
  Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, Schema>>)

/** Follows references; a note beside a reference is the one that counts. */
function resolved(node: Schema, root: Schema): Schema {
  const ref = node['$ref']
  if (typeof ref !== 'string') return node
  const name = ref.replace('#/$defs/', '')
  const target = ((root['$defs'] ?? {}) as Readonly<Record<string, Schema>>)[name]
  if (target === undefined) throw new Error(`no definition ${name}`)
  const { $ref: _ref, ...beside } = node
  return { ...resolved(target, root), ...beside }
}

/** What a field holds, in a few words. */
function formOf(node: Schema, root: Schema): string {
  const schema = resolved(node, root)
  const values = schema['enum']
  if (Array.isArray(values)) return values.map((value) => `\`${String(value)}\``).join(', ')
  if (schema['const'] !== undefined) return `\`${String(schema['const'])}\``
  switch (schema['type']) {
    case 'array':
      return schema['prefixItems'] === undefined
        ? `list of ${formOf((schema['items'] ?? {}) as Schema, root)}`
        : 'pair of numbers'
    case 'object':
      return 'group'
    case 'integer':
    case 'number':
      return `${schema['type'] === 'integer' ? 'whole number' : 'number'}, ${String(schema['minimum'])} to ${String(schema['maximum'])}`
    case 'boolean':
      return 'true or false'
    default:
      return schema['format'] === 'date'
        ? 'date'
        : schema['format'] === 'date-time'
          ? 'moment'
          : `text, at most ${String(schema['maxLength'])}`
  }
}

const depthMax = 3

/** Rows of the fields of an object and of those within them. */
function rowsOf(node: Schema, root: Schema, path: string, depth: number): readonly string[][] {
  const schema = resolved(node, root)
  const required = new Set((schema['required'] ?? []) as readonly string[])
  return propertiesOf(schema).flatMap(([name, field]) => {
    const at = path === '' ? name : `${path}.${name}`
    const inner = resolved(field, root)
    const items =
      inner['type'] === 'array' ? resolved((inner['items'] ?? {}) as Schema, root) : null
    const shown = items === null ? at : `${at}[]`
    const row = [
      `\`${shown}\``,
      required.has(name) ? 'yes' : '',
      formOf(field, root),
      String(inner['description'] ?? ''),
    ]
    const group = items ?? inner
    const isGroup = group['type'] === 'object' && group['properties'] !== undefined
    // Places, times and documents are described once, with the fields of every report.
    const known = /\/(?:place|source|timeSpan|period)$/.test(
      String(field['$ref'] ?? (inner['items'] as Schema | undefined)?.['$ref'] ?? ''),
    )
    const once = path === 'meta' || (path === '' && commonNames.has(name))
    const deeper = isGroup && depth < depthMax && (!known || once)
    return [row, ...(deeper ? rowsOf(group, root, shown, depth + 1) : [])]
  })
}

const fieldHead = ['field', 'required', 'form', 'meaning'] as const

function commonSection(schema: Schema): string {
  const rows = propertiesOf(schema)
    .filter(([name]) => commonNames.has(name) && name !== 'type' && name !== 'version')
    .map(
      ([name, field]): Schema => ({ properties: { [name]: field }, required: schema['required'] }),
    )
    .flatMap((one) => rowsOf(one, schema, '', 0))
  const names = [
    ['`type`', 'yes', 'text', 'Which of the fourteen types it is.'],
    ['`version`', 'yes', '`1`', 'Version of the type.'],
  ]
  return `## Fields of every report\n\n${table(fieldHead, [...names, ...rows])}`
}

async function typeSection(root: string, name: string, schema: Schema): Promise<string> {
  const wording = typeWordings[name]
  if (wording === undefined) throw new Error(`no wording for ${name}`)
  const own = Object.fromEntries(propertiesOf(schema).filter(([field]) => !commonNames.has(field)))
  const rows = rowsOf({ properties: own, required: schema['required'] }, schema, '', 0)
  const folder = join(root, 'examples', 'valid', name)
  const files = (await readdir(folder)).sort()
  const file = files.find((one) => one.includes('--smallest')) ?? files[0] ?? ''
  const example = (await readFile(join(folder, file), 'utf8')).trim()
  const checks = await checksOf(root, name)
  return [
    `## ${name}`,
    wording,
    String(schema['description']),
    ...conditions(schema),
    table(fieldHead, rows),
    'The smallest one:',
    `\`\`\`json\n${example}\n\`\`\``,
    checks.length === 0
      ? ''
      : `Checks of its own: ${checks.map((code) => `[\`${code}\`](#checks)`).join(', ')}.`,
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** Which fields a kind of message needs besides those that all need. */
function conditions(schema: Schema): readonly string[] {
  const all = (schema['allOf'] ?? []) as readonly {
    readonly if?: {
      readonly properties?: Readonly<Record<string, { readonly enum?: readonly string[] }>>
    }
    readonly then?: { readonly required?: readonly string[] }
  }[]
  const code = (words: readonly string[]): string => words.map((word) => `\`${word}\``).join(', ')
  const lines = all.flatMap((one) =>
    Object.entries(one.if?.properties ?? {}).map(
      ([field, { enum: values = [] }]) =>
        `- \`${field}\` ${code(values)}: needs ${code(one.then?.required ?? [])}`,
    ),
  )
  const together = Object.entries(
    (schema['dependentRequired'] ?? {}) as Readonly<Record<string, readonly string[]>>,
  ).map(([field, needs]) => `- \`${field}\`: needs ${code(needs)}`)
  const found = [...lines, ...together]
  return found.length === 0 ? [] : [found.join('\n')]
}

/** Codes of the named checks that the invalid examples of a type show. */
async function checksOf(root: string, name: string): Promise<readonly string[]> {
  const folder = join(root, 'examples', 'invalid', name)
  const codes = new Set<string>()
  for (const file of await readdir(folder)) {
    const { expect } = JSON.parse(await readFile(join(folder, file), 'utf8')) as {
      readonly expect: readonly { readonly code: string }[]
    }
    for (const { code } of expect) codes.add(code)
  }
  return problemGroups.check.filter((code) => codes.has(code))
}

function checksSection(): string {
  const rows = problemGroups.check.map((code) => {
    const wording = checkWordings[code]
    if (wording === undefined) throw new Error(`no wording for ${code}`)
    return [`\`${code}\``, wording]
  })
  return `## Checks\n\nWhat the schemas cannot say. They run once the structure is right.\n\n${table(['code', 'rule'], rows)}`
}
