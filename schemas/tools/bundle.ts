import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A JSON Schema, as parsed from its file. */
export type Schema = { [key: string]: unknown }

/** One schema source with the name it is published under. */
export type Source = { readonly name: string; readonly schema: Schema }

const suffix = '.schema.json'

/** Reads every `*.schema.json` of a folder, in the order of the names, so that output is the same everywhere. */
export async function readSchemas(folder: string): Promise<readonly Source[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(suffix)).sort()
  return Promise.all(
    files.map(async (file) => ({
      name: file.slice(0, -suffix.length),
      schema: JSON.parse(await readFile(join(folder, file), 'utf8')) as Schema,
    })),
  )
}

/**
 * Copies into one schema every shared definition that it reaches, so that the result refers to nothing but itself.
 *
 * @param source Schema whose `$ref`s are local (`#/$defs/x`) or name a definition of a common file by its `$id`.
 * @param common The common files.
 * @returns The self-contained schema; its `$defs` are sorted by name.
 * @throws Error when a reference names nothing, or when two definitions would share one name.
 */
export function bundle(source: Schema, common: readonly Source[]): Schema {
  const found = new Map<string, { readonly origin: string; readonly schema: unknown }>()
  const files = new Map(common.map(({ schema }) => [schema['$id'] as string, schema]))
  const ownId = source['$id'] as string

  const rewrite = (node: unknown, file: Schema, fileId: string): unknown => {
    if (Array.isArray(node)) return node.map((item) => rewrite(item, file, fileId))
    if (typeof node !== 'object' || node === null) return node
    const out: Schema = {}
    for (const [key, value] of Object.entries(node)) {
      out[key] =
        key === '$ref' ? resolve(value as string, file, fileId) : rewrite(value, file, fileId)
    }
    return out
  }

  const resolve = (ref: string, file: Schema, fileId: string): string => {
    const [target = '', pointer = ''] = ref.split('#')
    const holder = target === '' ? file : files.get(target)
    const holderId = target === '' ? fileId : target
    const name = pointer.replace('/$defs/', '')
    const definition = (holder?.['$defs'] as Schema | undefined)?.[name]
    if (holder === undefined || definition === undefined)
      throw new Error(`${fileId}: no such definition: ${ref}`)
    const known = found.get(name)
    if (known === undefined) {
      // Reserved before the walk, because a definition may reach itself.
      found.set(name, { origin: holderId, schema: undefined })
      found.set(name, { origin: holderId, schema: rewrite(definition, holder, holderId) })
    } else if (known.origin !== holderId) {
      throw new Error(
        `${ownId}: two definitions called ${name}, in ${known.origin} and ${holderId}`,
      )
    }
    return `#/$defs/${name}`
  }

  const { $defs: own, ...rest } = source
  const out = rewrite(rest, source, ownId) as Schema
  for (const name of Object.keys((own as Schema | undefined) ?? {}))
    resolve(`#/$defs/${name}`, source, ownId)
  const names = [...found.keys()].sort()
  if (names.length > 0)
    out['$defs'] = Object.fromEntries(names.map((name) => [name, found.get(name)?.schema]))
  return out
}

/** Drops titles and descriptions, which validators do not need and would otherwise carry along. */
export function withoutNotes(node: unknown, isMap = false): unknown {
  if (Array.isArray(node)) return node.map((item) => withoutNotes(item))
  if (typeof node !== 'object' || node === null) return node
  const entries = Object.entries(node)
    // Below `properties` and `$defs` the keys are names, so a field called "title" must stay.
    .filter(([key]) => isMap || !['title', 'description'].includes(key))
    .map(([key, value]) => [
      key,
      withoutNotes(value, !isMap && (key === 'properties' || key === '$defs')),
    ])
  return Object.fromEntries(entries)
}
