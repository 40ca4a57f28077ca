import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { reportNames } from '@liaison/schemas/reports'
import t from 'tap'
import {
  checksOf,
  errorIn,
  type Json,
  liaison,
  makeHome,
  startCliScenario,
} from '../support/cli.ts'
import { tempFolder } from '../support/temp-folder.ts'

const plain = ['--json', '--no-input']

// Commands are processes, and the machine may be busy.
t.setTimeout(120_000)

t.test('0: version and help, as the command is installed', async (t) => {
  const version = await liaison(['--json', 'version'], { installed: true })
  t.equal(version.code, 0)
  t.match(version.json(), [{ schemaVersion: 1, protocol: 'SIR/1', node: process.version }])
  const help = await liaison(['outbox', '--help'])
  t.equal(help.code, 0)
  t.match(help.stdout, /retry.*\n.*\n?.*cancel/)
})

t.test('2: what cannot be understood says what to do', async (t) => {
  const cases = [
    { args: ['frobnicate'], says: /Unknown command 'frobnicate'/ },
    { args: ['submti', 'x.json'], says: /Did you mean submit\?/ },
    { args: ['feed', 'list', '--form', 'all'], says: /Unknown option '--form'.*--from/ },
    { args: ['submit', 'x.json'], says: /Required option '--topic <name>' is missing/ },
    { args: ['submit', 'x.json', '--topik', 'x'], says: /'--topik' +\(Did you mean --topic\?\)/ },
    { args: ['relay', 'keys', '--uot', 'x'], says: /Unknown option '--uot' +\(Did you mean --out/ },
    {
      args: ['--passphrase-file', '/nonexistent', 'version'],
      says: /\(\/nonexistent\)\n {2}The file with the passphrase cannot be read/,
    },
    { args: ['submit', 'x.json', '--topic', 'x', '--wait', 'never'], says: /with-relay, received/ },
    { args: ['submit', '/nonexistent.json', '--topic', 'x'], says: /no such file/ },
    { args: ['admin', 'genesis'], says: /Choose one of --plan/ },
    { args: ['admin', 'status'], says: /network/, exit: 3 },
    { args: ['schema', 'show', 'novel'], says: /There are: .*spotrep/ },
  ]
  await Promise.all(
    cases.map(async ({ args, says, exit = 2 }) => {
      const result = await liaison(args)
      t.equal(result.code, exit, args.join(' '))
      t.match(result.stderr, says, args.join(' '))
      t.match(result.stderr, /What to do: .+\n {2}Code: [a-z_]+ \(exit \d\)/)
      t.equal(result.stdout, '')
    }),
  )
  const group = await liaison(['outbox'])
  t.equal(group.code, 2)
  t.match(group.stderr, /Commands:/, 'a group alone shows its commands')
})

t.test('2: without input nothing is ever asked', async (t) => {
  await using folder = await tempFolder()
  const home = join(folder.path, 'home')
  const made = await liaison([...plain, 'identity', 'new'], { home, input: 'a long passphrase\n' })
  t.equal(made.code, 2)
  t.match(errorIn(made), { code: 'usage_invalid', field: 'passphrase-file', exit: 2 })
  await t.rejects(stat(join(home, 'identity.json')), { code: 'ENOENT' }, 'nothing was written')
})

t.test('3, 4: home, network, key file and passphrase', async (t) => {
  await using relay = await startCliScenario()
  const { network, folder, url } = relay
  const empty = await liaison([...plain, 'feed', 'list'], { home: join(folder.path, 'empty') })
  t.equal(empty.code, 3)
  t.match(errorIn(empty), { code: 'network_file_malformed', detail: /--network FILE/ })

  const passphrase = 'four words of length'
  const home = await makeHome(network, network.deviceOf('BF'), { folder, url, passphrase })
  const wrong = await folder.write('wrong', 'four words of lenght\n')
  await chmod(wrong, 0o600)
  const topics = (...more: string[]) =>
    liaison([...plain, ...more, 'topics', 'list', '--offline'], {
      home,
      input: `${passphrase}
`,
    })

  const [mistyped, piped, unasked] = await Promise.all([
    topics('--passphrase-file', wrong),
    topics('--passphrase-file', '-'),
    topics(),
  ])
  t.equal(mistyped.code, 4)
  t.match(errorIn(mistyped), { code: 'passphrase_wrong', field: join(home, 'identity.json') })
  t.equal(piped.code, 0, 'a passphrase from stdin')
  t.equal(unasked.code, 2, 'stdin is not taken for a passphrase unasked')

  await chmod(join(home, 'identity.json'), 0o644)
  const open = await topics()
  t.equal(open.code, 4)
  t.match(errorIn(open), { code: 'key_file_open', remedy: /chmod 600/ })
  await chmod(join(home, 'identity.json'), 0o600)
  await chmod(home, 0o777)
  const exposed = await topics()
  t.equal(exposed.code, 3)
  t.match(errorIn(exposed), { code: 'config_invalid', field: home, detail: /chmod 700/ })
  await chmod(home, 0o755)
  const doctor = await liaison([...plain, 'doctor'], { home })
  t.equal(doctor.code, 0)
  t.match(checksOf(doctor), { home: 'warn', store: 'warn' })
})

t.test('the doctor names what is missing, one thing after the other', async (t) => {
  await using folder = await tempFolder()
  const home = join(folder.path, 'home')
  const doctor = () => liaison(['doctor'], { home })
  const absent = await doctor()
  t.equal(absent.code, 3)
  t.match(absent.stdout, /^fail {2}home +\S+ does not exist/)
  t.match(absent.stdout, /liaison identity new --network FILE/)
  await mkdir(home, { mode: 0o700 })
  const empty = await doctor()
  t.equal(empty.code, 4)
  t.match(empty.stdout, /fail {2}key file/)
  t.match(empty.stdout, /fail {2}network/)
  await writeFile(join(home, 'network.json'), '{}')
  t.match((await doctor()).stdout, /fail {2}network .*\n?.*network_file_malformed/)
  for (const line of empty.stdout.split('\n')) t.ok(line.length <= 80, line)
})

t.test('6: reports that do not fit their schema', async (t) => {
  await using folder = await tempFolder()
  const good = await readFile('examples/reports/28-spotrep-ml-timbuktu-camp.json', 'utf8')
  const report = JSON.parse(good) as { meta: Json }
  const { handling: _handling, ...meta } = report.meta
  const bad = await folder.write('bad.json', JSON.stringify({ ...report, meta, extra: 1 }))
  const validated = await liaison(['--json', 'schema', 'validate', '-', bad], { input: good })
  t.equal(validated.code, 6)
  const [first, second] = validated.json()
  t.match(first, { schemaVersion: 1, file: '-', ok: true, type: 'spotrep', problems: [] })
  t.match(second, { file: bad, ok: false, type: null })
  const problems = second?.['problems'] as readonly Json[]
  t.same(problems.map(({ field, code }) => `${field} ${code}`).sort(), [
    '/extra unknown_field',
    '/meta/handling required',
  ])
  for (const problem of problems) t.match(problem['text'], /add it|remove it/)
  const text = await liaison(['schema', 'validate', bad])
  t.match(text.stdout, /\/meta\/handling: is missing; add it \[required\]/)
})

t.test('every example is given the verdict of its type, in one process', async (t) => {
  const folder = 'examples/reports'
  const files = (await readdir(folder)).filter((name) => /^\d/.test(name)).sort()
  const paths = files.map((name) => join(folder, name))
  const spoilt = JSON.stringify({ type: 'spotrep', version: 1 })
  const result = await liaison(['schema', 'validate', ...paths, '-'], { input: spoilt })
  t.equal(result.code, 6, 'for the last one')
  const verdicts = result.stdout.split('\n').filter((line) => /^\S/.test(line))
  // The name of an example says its number, then its type.
  const typeOf = (name: string): string => {
    const found = reportNames.filter((type) => name.slice(3).startsWith(`${type}-`))
    t.equal(found.length, 1, name)
    return String(found[0])
  }
  t.same(verdicts, [
    ...files.map((name) => `${join(folder, name)}: valid ${typeOf(name)}`),
    '-: not valid',
  ])
  t.equal(new Set(files.map(typeOf)).size, reportNames.length, 'every type has an example')
})

t.test('a bad line among JSON lines is named with its number and the reason', async (t) => {
  const good = await readFile('examples/reports/28-spotrep-ml-timbuktu-camp.json', 'utf8')
  const line = JSON.stringify(JSON.parse(good))
  const input = `${line}\n\n{"type":"spotrep",\n${line}\n{"type":"novel"}`
  const validate = (...more: string[]) =>
    liaison([...more, 'schema', 'validate', '--lines', '-'], { input })
  const [words, json] = await Promise.all([validate(), validate('--json')])
  t.equal(words.code, 6)
  t.match(
    words.stdout,
    /^-, line 1: valid spotrep\n-, line 3: not valid\n {2}\/: is not JSON; .*\n/,
  )
  t.match(words.stdout, /-, line 5: not valid\n {2}\/type: is not a report type/)
  t.match(words.stderr, /2 of 4 not valid/)
  t.match(json.json(), [
    { line: 1, ok: true },
    { line: 3, ok: false, problems: [{ code: 'json_syntax' }] },
    { line: 4, ok: true },
    { line: 5, ok: false, problems: [{ code: 'unknown_type' }] },
  ])
})
