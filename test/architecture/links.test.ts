import { access, readdir, readFile } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import t from 'tap'
import { root } from './sources.ts'

/** Where a file may lie that a document names by its path from the root. */
const topFolders = [
  'protocol',
  'schemas',
  'client-sdk',
  'server',
  'cli',
  'workstation',
  'keys-example',
  'test',
  'bench',
  'examples',
  'docs',
  'scripts',
]

/** What a document is checked against. */
interface Repository {
  exists(path: string): Promise<boolean>
  read(path: string): Promise<string>
  readonly scripts: ReadonlySet<string>
}

/** The name under which a heading can be linked to, as the usual hosts make it. */
const anchorOf = (heading: string): string =>
  heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .trim()
    .replaceAll(' ', '-')

const anchorsOf = (markdown: string): ReadonlySet<string> =>
  new Set([...prose(markdown).matchAll(/^#{1,6} (.+)$/gm)].map(([, text = '']) => anchorOf(text)))

/** A document without its blocks of code. */
const prose = (markdown: string): string =>
  markdown.replaceAll(/^(`{3,}).*\n[\s\S]*?^\1\s*$/gm, '').replaceAll(/^ {4}.*$/gm, '')

async function linkFaults(file: string, text: string, repository: Repository): Promise<string[]> {
  const faults: string[] = []
  for (const [, target = ''] of prose(text).matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g)) {
    if (/^[a-z][a-z+.-]*:/.test(target)) continue
    const [path = '', anchor] = target.split('#')
    const document = path === '' ? file : posix.join(dirname(file), decodeURIComponent(path))
    if (document.startsWith('..') || !(await repository.exists(document))) {
      faults.push(`${file}: link to ${target}, which does not exist`)
    } else if (anchor !== undefined && !anchorsOf(await repository.read(document)).has(anchor)) {
      faults.push(`${file}: link to ${target}, where nothing has that heading`)
    }
  }
  return faults
}

/** Paths in code font; a wildcard or a line number at the end is left out. */
async function pathFaults(file: string, text: string, repository: Repository): Promise<string[]> {
  const faults: string[] = []
  for (const [, code = ''] of prose(text).matchAll(/(?<!`)`([^`\n]+)`/g)) {
    const [first = ''] = code.split('/')
    if (!topFolders.includes(first) || !/^[\w@./*-]+(?::\d+)?$/.test(code)) continue
    if (!code.includes('/')) continue
    const path = code
      .replace(/:\d+$/, '')
      .replace(/\/[^/]*\*.*$/, '')
      .replace(/\/$/, '')
    if (!(await repository.exists(path))) {
      faults.push(`${file}: names ${code}, which does not exist`)
    }
  }
  return faults
}

function scriptFaults(file: string, text: string, { scripts }: Repository): string[] {
  const named = [...text.matchAll(/npm run (?:--?[\w-]+ )*([a-z][\w:-]*)/g)].map(
    ([, name = '']) => name,
  )
  return named
    .filter((name) => !scripts.has(name))
    .map((name) => `${file}: npm run ${name}, which package.json does not have`)
}

async function faultsOf(file: string, repository: Repository): Promise<string[]> {
  const text = await repository.read(file)
  return [
    ...(await linkFaults(file, text, repository)),
    ...(await pathFaults(file, text, repository)),
    ...scriptFaults(file, text, repository),
  ]
}

/** Every document that people wrote or that is made from sources. */
async function documents(): Promise<string[]> {
  const inRoot = (await readdir(root)).filter((name) => name.endsWith('.md'))
  const below = await Promise.all(
    topFolders.map(async (folder) => {
      const names = await readdir(join(root, folder), { recursive: true }).catch(() => [])
      return names.filter((name) => name.endsWith('.md')).map((name) => posix.join(folder, name))
    }),
  )
  return [...inRoot, ...below.flat()].filter(
    (file) => !/(^|\/)(?:node_modules|dist|fixtures)\//.test(file),
  )
}

const real = async (): Promise<Repository> => {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>
  }
  return {
    exists: (path) =>
      access(join(root, path)).then(
        () => true,
        () => false,
      ),
    read: (path) => readFile(join(root, path), 'utf8'),
    scripts: new Set(Object.keys(manifest.scripts)),
  }
}

t.test('every link, path and npm script that a document names exists', async (t) => {
  const repository = await real()
  const files = await documents()
  for (const file of ['README.md', 'CHANGELOG.md', 'docs/protocol.md']) {
    t.ok(files.includes(file), `${file} is among the documents`)
  }
  const faults = await Promise.all(files.map((file) => faultsOf(file, repository)))
  t.same(faults.flat(), [])
})

t.test('a wrong link, heading, path or npm script is found', async (t) => {
  const texts: Record<string, string> = {
    'docs/a.md': [
      '# A',
      '## 1.2 The `ctx`, and more',
      '[good](b.md#two-words) [good](#12-the-ctx-and-more) [good](../LICENSE) [web](https://x.example/y.md)',
      '[bad](c.md) [bad](b.md#three) [bad](../../outside.md)',
      'Good `server/src/x.ts:12`, `server/src/*.ts`, `docs/`, `a/b`; bad `server/src/y.ts`.',
      '```sh',
      'npm run demo -- --json   # [not](a-link) `server/src/z.ts`',
      'npm run --silent nothing',
      '```',
    ].join('\n'),
    'docs/b.md': '# B\n\n## Two words\n',
  }
  const paths = new Set([
    'docs',
    'docs/a.md',
    'docs/b.md',
    'LICENSE',
    'server/src',
    'server/src/x.ts',
  ])
  const faults = await faultsOf('docs/a.md', {
    exists: async (path) => paths.has(path),
    read: async (path) => texts[path] ?? '',
    scripts: new Set(['demo']),
  })
  t.same(faults, [
    'docs/a.md: link to c.md, which does not exist',
    'docs/a.md: link to b.md#three, where nothing has that heading',
    'docs/a.md: link to ../../outside.md, which does not exist',
    'docs/a.md: names server/src/y.ts, which does not exist',
    'docs/a.md: npm run nothing, which package.json does not have',
  ])
})
