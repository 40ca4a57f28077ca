/**
 * Writes everything that is derived: from the schemas published files, types, validators and the
 * registry; docs/errors.md from the error codes; docs/reports.md from the report types;
 * docs/relay-options.md and the schema beside the server from the relay's options; the import bans of
 * biome.json from their table; and what the lock file lacks of builds for other platforms.
 *
 * What the SDK exports is written down as well: client-sdk/api.txt.
 *
 *   npm run generate             all of it
 *   npm run generate -- --wire   only the validators of the wire schemas
 *
 * The output is committed and depends on nothing but the sources, so a second run changes no byte.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { bodyFiles, wireFiles } from '../schemas/tools/generated-files.ts'
import { apiSnapshot, snapshotPath } from './api-snapshot.ts'
import { errorsDocument } from './errors-doc.ts'
import { withLayers } from './layers.ts'
import { withPlatforms } from './lock-platforms.ts'
import { relayConfigSchema, relayOptionsDocument } from './relay-options-doc.ts'
import { reportsDocument } from './reports-doc.ts'

const repository = fileURLToPath(new URL('..', import.meta.url))
const root = join(repository, 'schemas')

/** Writes only what differs, so that file watchers and incremental builds stay quiet. */
async function put(path: string, text: string): Promise<void> {
  await putIn(root, path, text)
}

async function putIn(folder: string, path: string, text: string): Promise<void> {
  const full = join(folder, path)
  const before = await readFile(full, 'utf8').catch(() => undefined)
  if (before === text) return
  await mkdir(dirname(full), { recursive: true })
  await writeFile(full, text)
  console.log(`wrote ${relative(repository, full)}`)
}

async function generateWire(): Promise<void> {
  for (const [path, text] of await wireFiles(root)) await put(path, text)
}

async function generateBodies(): Promise<void> {
  const files = await bodyFiles(root)
  for (const [path, text] of files) await put(path, text)
  for (const file of await readdir(join(root, 'published'))) {
    if (!files.has(`published/${file}`)) await rm(join(root, 'published', file))
  }
}

/** The formatter has the last word about the text of JSON, so only a different value is written. */
async function putJson(path: string, after: string): Promise<void> {
  const before = await readFile(join(repository, path), 'utf8').catch(() => 'null')
  if (isDeepStrictEqual(JSON.parse(before), JSON.parse(after))) return
  await putIn(repository, path, after)
}

if (!process.argv.includes('--wire')) {
  await generateBodies()
  await putIn(repository, 'docs/errors.md', errorsDocument())
  const reports = await readFile(join(repository, 'docs/reports.md'), 'utf8')
  await putIn(repository, 'docs/reports.md', await reportsDocument(reports, root))
  await putIn(repository, snapshotPath, await apiSnapshot())
  await putIn(repository, 'docs/relay-options.md', relayOptionsDocument())
  await putJson('server/relay-config.schema.json', relayConfigSchema())
  await putJson('biome.json', withLayers(await readFile(join(repository, 'biome.json'), 'utf8')))
  const lock = await readFile(join(repository, 'package-lock.json'), 'utf8')
  await putIn(repository, 'package-lock.json', withPlatforms(lock))
}
await generateWire()
