import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { root } from './sources.ts'

/** Folders whose files may cite the documents. */
const folders = [
  'protocol',
  'schemas',
  'client-sdk',
  'server',
  'cli',
  'test',
  'scripts',
  'bench',
  'examples',
  'keys-example',
]

/** One mention of a document, and of a section of it where one is named. */
interface Citation {
  /** Path of the document from the root; for a decision record, the beginning of its name. */
  readonly document: string
  /** Number or title, or null when only the document is named. */
  readonly section: string | null
}

/** Citations in a text. A comment may break a line within one; JSON escapes its quotes. */
function citationsIn(text: string): Citation[] {
  const flat = text.replaceAll('\\"', '"').replaceAll(/\s*\n\s*(?:\*|\/\/)?\s*/g, ' ')
  const documents = flat.matchAll(
    /(?<![\w/-])(?:docs\/)?(?<name>[a-z][a-z-]*)\.md`?(?:,? (?:sections? )?(?:"(?<title>[^"]{1,60})"|(?<number>\d+(?:\.\d+)*)))?/g,
  )
  const found: Citation[] = []
  for (const { 0: whole, groups } of documents) {
    const section = groups?.['title'] ?? groups?.['number'] ?? null
    // Without "docs/" a bare name may be any file; with a section it is a citation all the same.
    if (section === null && !whole.startsWith('docs/')) continue
    found.push({ document: `docs/${groups?.['name']}.md`, section })
  }
  for (const [, number] of flat.matchAll(/docs\/adr\/(\d{4})/g)) {
    found.push({ document: `docs/adr/${number}-`, section: null })
  }
  return found
}

/** Numbers and titles of the sections of a document. */
function sectionsOf(markdown: string): ReadonlySet<string> {
  const sections = new Set<string>()
  for (const [, heading = ''] of markdown.matchAll(/^#{2,4} (.+)$/gm)) {
    const [, number, title = ''] = /^(\d+(?:\.\d+)*)? ?(.+)$/.exec(heading) ?? []
    if (number !== undefined) sections.add(number)
    sections.add(title.toLowerCase())
  }
  return sections
}

/** What is wrong with a citation, or null. */
async function fault(
  { document, section }: Citation,
  read: (document: string) => Promise<string | null>,
): Promise<string | null> {
  const text = await read(document)
  if (text === null) return `${document} does not exist`
  if (section === null || sectionsOf(text).has(section.toLowerCase())) return null
  return `${document} has no section "${section}"`
}

async function readDocument(document: string): Promise<string | null> {
  if (!document.endsWith('-')) return readFile(join(root, document), 'utf8').catch(() => null)
  const names = await readdir(join(root, 'docs/adr'))
  const name = names.find((one) => `docs/adr/${one}`.startsWith(document))
  return name === undefined ? null : readFile(join(root, 'docs/adr', name), 'utf8')
}

/** Texts that people write; what is generated or built cites through its source. */
async function textsIn(folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true })
  return (
    entries
      .filter((entry) => entry.isFile() && /\.(?:ts|tsx|mjs|json|md)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => !/\/(?:node_modules|dist|generated|published|fixtures)\//.test(path))
      // Both make up citations to be refused.
      .filter((path) => !/architecture\/(?:cited-sections|links)\.test\.ts$/.test(path))
  )
}

t.test('every document and section that a source cites exists', async (t) => {
  const known = new Map<string, Promise<string | null>>()
  const read = (document: string): Promise<string | null> => {
    const text = known.get(document) ?? readDocument(document)
    known.set(document, text)
    return text
  }
  let sections = 0
  const faults: string[] = []
  for (const path of (await Promise.all(folders.map(textsIn))).flat()) {
    for (const citation of citationsIn(await readFile(path, 'utf8'))) {
      if (citation.section !== null) sections += 1
      const wrong = await fault(citation, read)
      if (wrong !== null) faults.push(`${path.slice(root.length)}: ${wrong}`)
    }
  }
  t.same(faults, [])
  t.ok(sections >= 10, `${sections} sections were cited and looked up`)
})

t.test('the sections that docs/protocol.md refers to exist in it', async (t) => {
  const text = (await readDocument('docs/protocol.md')) ?? ''
  const sections = sectionsOf(text)
  const own = text.replaceAll(/RFC \d+\)?, sections? [\d.]+\d/g, '')
  const named = [...own.matchAll(/sections? (\d+(?:\.\d+)*)/g)].map(([, number]) => number ?? '')
  t.ok(named.length > 20, `${named.length} references`)
  t.same(
    named.filter((number) => !sections.has(number)),
    [],
  )
})

t.test('a section or document that does not exist is found', async (t) => {
  const documents: Record<string, string> = {
    'docs/protocol.md': '# P\n\n## 2 Envelope\n\n### 2.1 ctx\n\n### Loose\n',
    'docs/adr/0004-': '# 0004: x\n',
  }
  const source = [
    '/** Header; docs/protocol.md, section "ctx". */',
    '/** As docs/protocol.md, section',
    ' * "Closing" says. */',
    '// protocol.md, "Loose"; see docs/adr/0004-derived.md and docs/adr/0099',
    '// docs/protocol.md, section 2.1 and docs/protocol.md section 2.9',
    '{ "source": "docs/protocol.md, section \\"Envelope\\"", "other": "docs/missing.md" }',
    '// README.md is no citation',
  ].join('\n')
  const faults: (string | null)[] = []
  for (const citation of citationsIn(source)) {
    faults.push(await fault(citation, async (document) => documents[document] ?? null))
  }
  t.same(
    faults.filter((one) => one !== null),
    [
      'docs/protocol.md has no section "Closing"',
      'docs/protocol.md has no section "2.9"',
      'docs/missing.md does not exist',
      'docs/adr/0099- does not exist',
    ],
  )
  t.equal(faults.length, 9, 'and the others were looked up')
})
