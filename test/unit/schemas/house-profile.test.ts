import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { publishedText, schemaByHash, schemaHash, schemaRegistry } from '@liaison/schemas'
import t from 'tap'

type Node = Readonly<Record<string, unknown>>

const root = new URL('../../../schemas/', import.meta.url)

async function read(folder: string): Promise<readonly (readonly [string, Node, number])[]> {
  const files = (await readdir(new URL(`${folder}/`, root))).filter((file) =>
    file.endsWith('.json'),
  )
  return Promise.all(
    files.sort().map(async (file) => {
      const text = await readFile(new URL(`${folder}/${file}`, root), 'utf8')
      return [`${folder}/${file}`, JSON.parse(text) as Node, text.length] as const
    }),
  )
}

/** Keywords whose values are maps from names to schemas, not schemas. */
const maps = new Set(['properties', '$defs'])

/** Calls back for every schema in a schema, with its pointer. */
function visit(node: unknown, found: (schema: Node, pointer: string) => void, pointer = ''): void {
  if (typeof node !== 'object' || node === null) return
  if (Array.isArray(node)) {
    for (const [index, item] of node.entries()) visit(item, found, `${pointer}/${index}`)
    return
  }
  found(node as Node, pointer)
  for (const [key, value] of Object.entries(node)) {
    if (key === 'enum' || key === 'const' || key === 'required') continue
    if (maps.has(key)) {
      for (const [name, inner] of Object.entries(value as Node)) {
        visit(inner, found, `${pointer}/${key}/${name}`)
      }
    } else visit(value, found, `${pointer}/${key}`)
  }
}

const withoutClasses = (pattern: string): string =>
  pattern.replaceAll(/\\.|\[(?:\\.|[^\]\\])*\]/g, 'c')

/**
 * At most one repetition without an upper bound, and no group that repeats and holds one: then
 * matching takes linear time.
 */
const isLinear = (pattern: string): boolean => {
  const bare = withoutClasses(pattern)
  const open = bare.match(/[*+]|\{\d+,\}/g) ?? []
  return open.length <= 1 && !/\([^()]*(?:[*+]|,\})[^()]*\)(?:[*+]|\{)/.test(bare)
}

/** Places where the structure is left open on purpose; bounded by the limits of a whole body or frame. */
const openObjects = new Set(['extension', 'geometry'])

const published = await read('published')
const wire = await read('wire')

for (const [file, schema, size] of [...published, ...wire]) {
  t.test(file, (t) => {
    const faults: string[] = []
    let deepest = 0
    visit(schema, (node, pointer) => {
      deepest = Math.max(deepest, pointer.split('/').length)
      const { type, maxLength, enum: values, pattern, format, $ref } = node
      // Conditions and their consequences narrow a schema that is checked where it is declared.
      if (/\/(?:if|then)(?:\/|$)/.test(pointer)) return
      if (type === 'string' && values === undefined && typeof maxLength !== 'number') {
        faults.push(`${pointer}: text without bound`)
      }
      if (type === 'array' && node['oneOf'] === undefined && typeof node['maxItems'] !== 'number') {
        faults.push(`${pointer}: list without bound`)
      }
      if (
        (type === 'integer' || type === 'number') &&
        node['const'] === undefined &&
        values === undefined &&
        (typeof node['minimum'] !== 'number' || typeof node['maximum'] !== 'number')
      ) {
        faults.push(`${pointer}: number without bounds`)
      }
      if (type === 'object' && node['oneOf'] === undefined && !isClosed(node, pointer, file)) {
        faults.push(`${pointer}: open object`)
      }
      if (typeof $ref === 'string' && !/^#\/\$defs\/[A-Za-z0-9]+$/.test($ref)) {
        faults.push(`${pointer}: refers to something else`)
      }
      if (typeof pattern === 'string') {
        if (!pattern.startsWith('^') || !pattern.endsWith('$'))
          faults.push(`${pointer}: no anchors`)
        if (!isLinear(pattern)) faults.push(`${pointer}: pattern may take more than linear time`)
        if (typeof maxLength !== 'number') faults.push(`${pointer}: pattern without length`)
      }
      if (format !== undefined && !['date', 'date-time'].includes(String(format))) {
        faults.push(`${pointer}: unknown format`)
      }
      for (const refused of ['$dynamicRef', 'patternProperties', 'unevaluatedProperties', 'not']) {
        if (refused in node) faults.push(`${pointer}: ${refused}`)
      }
    })
    t.same(faults, [])
    t.ok(deepest <= 24, `depth ${deepest}`)
    t.ok(size <= 64 * 1024, `${size} characters fit one blob`)
    t.equal(schema['$schema'], 'https://json-schema.org/draft/2020-12/schema')
    t.match(String(schema['$id']), /^urn:liaison:(wire:)?[a-z-]+:[1-9][0-9]*$/)
    t.end()
  })
}

function isClosed(node: Node, pointer: string, file: string): boolean {
  if (node['additionalProperties'] === false) return true
  const name = pointer.split('/').at(-1) ?? ''
  if (openObjects.has(name) && pointer === `/$defs/${name}`) return true
  // The body of a statement has the schema of its operation, which is checked next.
  return file === 'wire/statement.schema.json' && pointer === '/properties/body'
}

t.test('attack 20: the rule about slow patterns fires', (t) => {
  for (const good of ['^[a+*]*$', '^([a-z]{1,3}){0,2}$', '^a\\+b+$']) t.ok(isLinear(good), good)
  for (const bad of ['^(a+)+$', '^(a*b){0,9}$', '^a*b*$', '^(a{2,}){3}$'])
    t.notOk(isLinear(bad), bad)
  t.end()
})

t.test('every report has an x, every definition a description', (t) => {
  for (const [file, schema] of published) {
    t.ok('x' in (schema['properties'] as Node), `${file} can be extended`)
    for (const [name, definition] of Object.entries((schema['$defs'] ?? {}) as Node)) {
      t.type((definition as Node)['description'], 'string', `${file} ${name}`)
    }
  }
  t.end()
})

t.test('hashes are those of the published bytes', async (t) => {
  t.equal(published.length, schemaRegistry.length)
  for (const entry of schemaRegistry) {
    const url = new URL(`published/${entry.name}-${entry.version}.json`, root)
    const bytes = await readFile(url)
    const hash = createHash('sha256').update(bytes).digest()
    t.equal(hash.toString('hex'), entry.hash, entry.name)
    t.same(schemaHash(entry.name), new Uint8Array(hash))
    t.equal(await publishedText(entry.name), bytes.toString('utf8'))
    t.equal(schemaByHash(entry.hash), entry)
  }
  t.equal(schemaByHash('00'.repeat(32)), null)
})
