/**
 * Makes the generated validators smaller: every published schema carries its own copy of each shared
 * definition, so the same function would stand in the module once for every report type.
 *
 * @param code What ajv writes: at the left margin only constants of one line, functions that are
 * followed by their `evaluated` line, and exports.
 * @returns The same validators with equal constants and functions merged, and without the schemas
 * themselves, of which the code needs single values only.
 */
export function mergeEqualCode(code: string): string {
  let chunks = chunksOf(withInlineValues(code))
  for (let before = Number.POSITIVE_INFINITY; chunks.length < before; ) {
    before = chunks.length
    chunks = mergeOnce(chunks)
  }
  return dropUnused(chunks)
    .map(({ text }) => text)
    .join('\n')
}

/** A constant or a function with its name; what has no name is an export or an empty line. */
interface Chunk {
  readonly name: string | null
  readonly text: string
}

function chunksOf(code: string): Chunk[] {
  const chunks: Chunk[] = []
  const lines = code.split('\n')
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? ''
    const constant = /^const (\w+) = /.exec(line)?.[1]
    const called = /^function (\w+)\(/.exec(line)?.[1]
    if (called === undefined) {
      if (line !== '') chunks.push({ name: constant ?? null, text: line })
      continue
    }
    const end = lines.findIndex(
      (text, at) => at > index && text.startsWith(`${called}.evaluated =`),
    )
    if (end === -1) throw new Error(`the end of ${called} is not where it was`)
    chunks.push({ name: called, text: lines.slice(index, end + 1).join('\n') })
    index = end
  }
  return chunks
}

/** Puts the value in the place of a path into a schema, such as `schema25.enum`. */
function withInlineValues(code: string): string {
  const schemas = new Map<string, unknown>()
  for (const [, name = '', text = ''] of code.matchAll(/^const (schema\d+) = (.*);$/gm)) {
    schemas.set(name, JSON.parse(text))
  }
  return code.replace(
    /\b(schema\d+)((?:\.\w+|\["[^"]+"\]|\[\d+\])+)/g,
    (_match, name: string, path: string) => {
      let value = schemas.get(name)
      for (const [, word, quoted, digits] of path.matchAll(/\.(\w+)|\["([^"]+)"\]|\[(\d+)\]/g)) {
        value = (value as Readonly<Record<string, unknown>>)[word ?? quoted ?? digits ?? '']
      }
      if (value === undefined) throw new Error(`no value at ${name}${path}`)
      return JSON.stringify(value)
    },
  )
}

/** Merges what is equal but for its own name, and writes the kept name wherever another stood. */
function mergeOnce(chunks: readonly Chunk[]): Chunk[] {
  const kept = new Map<string, string>()
  const renamed = new Map<string, string>()
  const rest = chunks.filter(({ name, text }) => {
    if (name === null) return true
    const same = text.replace(new RegExp(`\\b${name}\\b`, 'g'), '#')
    const first = kept.get(same)
    if (first === undefined) kept.set(same, name)
    else renamed.set(name, first)
    return first === undefined
  })
  if (renamed.size === 0) return rest
  return rest.map(({ name, text }) => ({
    name,
    text: text.replace(/\b[a-z]+\d+\b/g, (word) => renamed.get(word) ?? word),
  }))
}

function dropUnused(chunks: readonly Chunk[]): readonly Chunk[] {
  const used = new Set<string>()
  for (const { name, text } of chunks) {
    for (const word of new Set(text.match(/\b[a-z]+\d+\b/g))) if (word !== name) used.add(word)
  }
  return chunks.filter(({ name }) => name === null || used.has(name))
}
