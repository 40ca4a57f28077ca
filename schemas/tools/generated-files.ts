import { join } from 'node:path'
import { bundle, readSchemas } from './bundle.ts'
import { type Published, publish, publishedModule, registryModule } from './embed.ts'
import { typeModule } from './types.ts'
import { validatorModule } from './validators.ts'

/** Generated files by their path in `schemas/`. */
export type GeneratedFiles = ReadonlyMap<string, string>

/** The validators of the wire structures. */
export async function wireFiles(root: string): Promise<GeneratedFiles> {
  const sources = await readSchemas(join(root, 'wire'))
  return new Map([['src/generated/wire.ts', validatorModule(sources, 'cbor')]])
}

/** The published schemas of reports and control bodies, and every module made from them. */
export async function bodyFiles(root: string): Promise<GeneratedFiles> {
  const common = await readSchemas(join(root, 'common'))
  const load = async (folder: string, kind: 'report' | 'control'): Promise<readonly Published[]> =>
    (await readSchemas(join(root, folder))).map(({ name, schema }) =>
      publish({ name, schema: bundle(schema, common) }, kind),
    )
  const reports = await load('reports', 'report')
  const controls = await load('control', 'control')
  const all = [...reports, ...controls]
  return new Map([
    ...all.map((entry): [string, string] => [
      `published/${entry.name}-${entry.version}.json`,
      entry.text,
    ]),
    ['src/generated/registry.ts', registryModule(all)],
    ['src/generated/published.ts', publishedModule(all)],
    ['src/generated/bodies.ts', validatorModule(all, 'json')],
    ['src/generated/types.ts', await typeModule(reports, controls)],
  ])
}
