import { execFile } from 'node:child_process'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { StixBundle } from '@liaison/client-sdk/stix'
import t from 'tap'
import { errorIn, inProcess, makeHome, startCliScenario } from '../support/cli.ts'
import { makeReport } from '../support/sdk.ts'
import { stixProblems } from '../support/stix-check.ts'
import { tempFolder } from '../support/temp-folder.ts'

// Commands are processes, and the machine may be busy.
t.setTimeout(120_000)

t.test('what a device received is found again, and leaves in four forms', async (t) => {
  await using relay = await startCliScenario()
  const { network, folder, url } = relay
  const sender = await makeHome(network, network.deviceOf('BF'), { folder, url })
  const reader = await makeHome(network, network.deviceOf('ML'), { folder, url })
  const titles = ['Véhicules à Kidal', 'تحرّك قرب تمبكتو', 'Movement near Gao']
  for (const title of titles) {
    const file = await folder.write('r.json', JSON.stringify(makeReport(network, 'BF', { title })))
    const sent = await inProcess(sender, [
      ...['submit', file, '--topic', 'terrorism', '--wait', 'with-relay'],
    ])
    t.equal(sent.code, 0, sent.stderr)
  }
  t.equal((await inProcess(reader, ['feed', 'list'])).json().length, titles.length)

  const found = async (...words: string[]) =>
    (await inProcess(reader, ['search', ...words]))
      .json()
      .map(({ report }) => Reflect.get(report as object, 'title'))
  t.same(await found('vehicules', 'KIDAL'), ['Véhicules à Kidal'])
  t.same(await found('تحرك'), ['تحرّك قرب تمبكتو'], 'vowel marks do not count')
  t.same(await found('kidal', 'gao'), [], 'all words must occur')
  t.equal((await inProcess(reader, ['search', ' '])).code, 2)

  const out = join(folder.path, 'out.json')
  const written = await inProcess(reader, ['export', 'stix', '--out', out])
  t.match(written.json(), [{ format: 'stix', file: out, exported: 3, leftOut: [] }])
  t.equal((await stat(out)).mode & 0o077, 0, 'nobody else may read it')
  const bundle = JSON.parse(await readFile(out, 'utf8')) as StixBundle
  t.same(stixProblems(bundle), [])
  t.equal(bundle.objects.filter(({ type }) => type === 'report').length, 3)
  const again = await inProcess(reader, ['export', 'stix', '--out', out])
  t.equal(again.code === 0, false, 'a file that is there is not replaced')

  const csv = await inProcess(reader, ['export', 'csv', 'terrorism', '--type', 'spotrep'])
  t.equal(csv.stdout.trim().split('\r\n').length, 4)
  t.match(csv.stderr, /plain text now/)
  const map = JSON.parse((await inProcess(reader, ['export', 'geojson'])).stdout) as {
    readonly features: unknown[]
  }
  t.equal(map.features.length, 3)
  t.equal((await inProcess(reader, ['export', 'misp'])).code, 2, 'a folder is needed')
  const feed = join(folder.path, 'feed')
  t.equal((await inProcess(reader, ['export', 'misp', '--out', feed])).code, 0)
  t.equal((await readdir(feed)).length, 3 + 2)
  t.not((await inProcess(reader, ['export', 'misp', '--out', feed])).code, 0, 'the folder is used')
  t.match(await inProcess(reader, ['export', 'csv', '--since', 'yesterday']), { code: 2 })
  const included = await inProcess(reader, [
    'export',
    'csv',
    '--include',
    'meeting,humanitarian-site',
  ])
  t.equal(included.code, 0, included.stderr)
  const mistyped = await inProcess(reader, ['export', 'csv', '--include', 'meeting,camps'])
  t.match(errorIn(mistyped), { code: 'usage_invalid', field: 'include', detail: /questionnaire/ })
})

t.test('a shell completes commands and options', async (t) => {
  await using folder = await tempFolder()
  const { stdout } = await inProcess(folder.path, ['completion', 'bash'])
  const script = await folder.write('liaison.bash', stdout)
  const complete = async (...words: string[]): Promise<string> => {
    const body = `source ${script}; COMP_WORDS=(liaison "$@"); COMP_CWORD=$#; _liaison; echo "\${COMPREPLY[@]}"`
    const { stdout: said } = await promisify(execFile)('bash', ['-c', body, 'bash', ...words])
    return said.trim()
  }
  t.equal(await complete('outb'), 'outbox')
  t.equal(await complete('outbox', 'fl'), 'flush')
  t.equal(await complete('--home', 'x', 'feed', 't'), 'tail')
  t.match(await complete('submit', '--w'), '--wait')
  for (const shell of ['zsh', 'fish']) {
    const { code, stdout: text } = await inProcess(folder.path, ['completion', shell])
    t.equal(code, 0)
    t.match(text, 'outbox', shell)
  }
  t.equal((await inProcess(folder.path, ['completion', 'csh'])).code, 2)
})
