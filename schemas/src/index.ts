import { type SchemaEntry, type SchemaName, schemaRegistry } from './generated/registry.ts'

export { borderMeasureDueBy } from './checks/border-measure.ts'
export { type CommonFields, commonFields } from './common-fields.ts'
export {
  type ControlName,
  type ReportName,
  type SchemaEntry,
  type SchemaName,
  schemaRegistry,
} from './generated/registry.ts'
export type * from './generated/types.ts'
export {
  handlingCode,
  precedenceCode,
  type Tlp,
  tlpLabels,
} from './marking.ts'
export type { Problem, ProblemCode } from './problem.ts'

/**
 * The schema with this hash.
 *
 * @param hash SHA-256 of the published bytes, as hexadecimal in lower case.
 * @returns Null when this release does not have it; the directory may still allow it.
 */
export const schemaByHash = (hash: string): SchemaEntry | null =>
  schemaRegistry.find((entry) => entry.hash === hash) ?? null

/** The schema of this name, in the version that this release writes. */
export function schemaByName(name: SchemaName): SchemaEntry {
  const found = schemaRegistry.find((entry) => entry.name === name)
  // The names are a generated union of what the registry holds.
  if (found === undefined) throw new Error(`the registry lacks ${name}`)
  return found
}

/** SHA-256 of the published bytes of a schema: the 32 bytes that `ctx.sch` carries. */
export const schemaHash = (name: SchemaName): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_unused, index) =>
    Number.parseInt(schemaByName(name).hash.slice(index * 2, index * 2 + 2), 16),
  )

/**
 * The published bytes of a schema, as the directory's hash covers them. Loaded on demand, because
 * only `liaison schema` and the publication of schemas need them.
 */
export async function publishedText(name: SchemaName): Promise<string> {
  const { publishedTexts } = await import('./generated/published.ts')
  const text = publishedTexts.get(schemaByName(name).id)
  if (text === undefined) throw new Error(`no published text of ${name}`)
  return text
}
