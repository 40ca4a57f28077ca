import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transform } from 'esbuild'

/** Root of the repository. */
export const root: string = fileURLToPath(new URL('../..', import.meta.url))

/** Folders of the packages; those that do not exist yet have no sources. */
export const packages: readonly string[] = [
  'schemas',
  'protocol',
  'protocol/seal',
  'client-sdk',
  'server',
  'cli',
  'workstation',
]

/** One file, named from the root of the repository. */
export interface Source {
  readonly file: string
  readonly text: string
}

/** The TypeScript files below a folder of the repository, generated ones left out. */
export async function sourcesOf(folder: string): Promise<readonly Source[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true }).catch(
    () => [],
  )
  const files = entries
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((file) => !/(^|\/)(node_modules|dist|generated|fixtures)\//.test(file))
    .sort()
  return await Promise.all(
    files.map(async (file) => ({ file, text: await readFile(join(root, file), 'utf8') })),
  )
}

/** The sources of every package. */
export async function packageSources(): Promise<readonly Source[]> {
  return (await Promise.all(packages.map((name) => sourcesOf(`${name}/src`)))).flat()
}

/** What a file does when it runs: without comments and types, all imports kept. */
export async function codeOf({ file, text }: Source): Promise<string> {
  const { code } = await transform(text, {
    loader: file.endsWith('x') ? 'tsx' : 'ts',
    jsx: 'automatic',
    legalComments: 'none',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  })
  return code
}
