/** What the command writes where: files that fill up, pipes that close, terminals and none. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { newIdentity } from '@liaison/client-sdk/admin'
import { sodiumReady } from '@liaison/protocol'
import t from 'tap'
import { root } from '../architecture/sources.ts'
import {
  type CliResult,
  cliCommand,
  errorIn,
  inProcess,
  liaison,
  makeHome,
  startCliScenario,
  writeKey,
} from '../support/cli.ts'
import { makeReport } from '../support/sdk.ts'
import { tempFolder } from '../support/temp-folder.ts'

// Commands are processes, and the machine may be busy.
t.setTimeout(120_000)

/** Runs a line of bash in which `liaison` is the command. */
function bash(
  line: string,
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Pick<CliResult, 'code' | 'stdout' | 'stderr'>> {
  const command = cliCommand.map((word) => `'${word}'`).join(' ')
  const script = `set -o pipefail; liaison() { ${command} "$@"; }; ${line}`
  const cwd = options.cwd ?? root
  const env = { PATH: process.env['PATH'], LIAISON_HOME: join(cwd, 'no-home'), ...options.env }
  return new Promise((resolve) => {
    execFile('bash', ['--norc', '-c', script], { cwd, env }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null
      resolve({ code, stdout, stderr })
    })
  })
}

t.test('what stdout could not take is an error, and never cut off without a word', async (t) => {
  await using folder = await tempFolder()
  const [full, limited, whole, help] = await Promise.all([
    bash('liaison schema show spotrep > /dev/full'),
    // Blocks of 1024 bytes: the first write is taken in part, the second is refused.
    bash('ulimit -f 2; liaison schema show spotrep > cut.json', { cwd: folder.path }),
    bash('liaison schema show spotrep > whole.json', { cwd: folder.path }),
    bash('liaison --help > /dev/full'),
  ])
  for (const [name, result] of Object.entries({ full, limited, help })) {
    t.equal(result.code, 2, `${name}: ${result.stderr}`)
    t.match(
      result.stderr,
      /\(standard output\)\n.+\n {2}What to do: .+\n {2}Code: file_unavailable/,
    )
  }
  t.match(full.stderr, /The disk is full/)
  t.match(limited.stderr, /may not become so large/)
  t.equal(whole.code, 0)
  const published = await readFile(join(root, 'schemas/published/spotrep-1.json'), 'utf8')
  t.equal(await readFile(join(folder.path, 'whole.json'), 'utf8'), published)
  t.ok(published.startsWith(await readFile(join(folder.path, 'cut.json'), 'utf8')))
})

t.test('a reader of a pipe that has had enough is no error', async (t) => {
  const [gone, first] = await Promise.all([
    bash('liaison schema show spotrep | true'),
    bash('liaison schema list | head -n 1'),
  ])
  t.same(gone, { code: 0, stdout: '', stderr: '' })
  t.match(first, { code: 0, stdout: /^\S+ +version 1.*\n$/, stderr: '' })
})

t.test('a file that could not be written whole is not there', async (t) => {
  await using folder = await tempFolder()
  const home = join(folder.path, 'home')
  await mkdir(home, { mode: 0o700 })
  const genesis = ['admin', 'genesis', '--quick', '--example', '--unprotected']
  const founded = await inProcess(home, [
    ...[...genesis, '--name', 'trial', '--out', join(folder.path, 'trial')],
    ...['--relay-url', 'ws://127.0.0.1:9/relay'],
  ])
  t.equal(founded.code, 0, founded.stderr)
  await mkdir(join(folder.path, 'out'))
  const keys = 'relay keys --number 2 --logs-of ../trial/relay-keys.json --out keys.json'
  const cwd = join(folder.path, 'out')
  const failed = await bash(`ulimit -f 0; liaison ${keys}`, { cwd })
  t.equal(failed.code, 2, failed.stderr)
  t.match(failed.stderr, /keys\.json\)\n {2}A file may not become so large/)
  t.same(await readdir(cwd), [])
  t.equal((await bash(`liaison ${keys}`, { cwd })).code, 0)
  t.same(await readdir(cwd), ['keys.json'])
  const again = await bash(`liaison ${keys}`, { cwd })
  t.match(again, { code: 2, stderr: /file_exists/ })
  t.same(await readdir(cwd), ['keys.json'])
})

const esc = '\u001B'

t.test('colours are for terminals that want them', async (t) => {
  await using folder = await tempFolder()
  const file = await folder.write('bad.json', '{}')
  const terminal = `script -qefc "$LIAISON schema validate ${file}" /dev/null`
  const LIAISON = cliCommand.map((word) => `'${word}'`).join(' ')
  const base = { LIAISON, TERM: 'xterm' }
  const [coloured, plain, dumb, piped] = await Promise.all([
    bash(terminal, { env: base }),
    bash(terminal, { env: { ...base, NO_COLOR: '1' } }),
    bash(terminal, { env: { ...base, TERM: 'dumb' } }),
    bash(`liaison schema validate ${file}`, { env: base }),
  ])
  t.ok(coloured.stdout.includes(`${esc}[31mnot valid${esc}[0m`))
  for (const [name, { code, stdout }] of Object.entries({ plain, dumb, piped })) {
    t.equal(code, 6, name)
    t.match(stdout, 'bad.json: not valid', name)
    t.notOk(stdout.includes(esc), name)
  }
})

t.test('what is sent says how far it is, off a terminal in plain lines', async (t) => {
  await using relay = await startCliScenario()
  const { network, folder, url } = relay
  const home = await makeHome(network, network.deviceOf('BF'), { folder, url })
  const many = 8
  for (let i = 0; i < many; i++) {
    // Random, so that it stays as long when it is packed: only a few of them fit one frame.
    const x = { 'bf.noise': randomBytes(120_000).toString('base64').replace(/\d/g, 'x') }
    const file = await folder.write('r.json', JSON.stringify({ ...makeReport(network, 'BF'), x }))
    const kept = await inProcess(home, [
      ...['submit', file, '--topic', 'terrorism', '--timeout', '0'],
      ...['--relay', 'ws://127.0.0.1:9/relay'],
    ])
    t.equal(kept.code, 8, kept.stderr)
  }
  const flushed = await liaison(['outbox', 'flush'], { home })
  t.equal(flushed.code, 0, flushed.stderr)
  t.equal(flushed.stdout, `${many} reports sent, 0 waiting, 0 refused\n`)
  t.match(flushed.stderr, new RegExp(`^sending: \\d\\d % of ${many} reports$`, 'm'))
  t.notOk(flushed.stderr.includes('\r') || flushed.stderr.includes(esc))
  t.notMatch(flushed.stderr, /sending: 100 %/)

  const file = await folder.write('r.json', JSON.stringify(makeReport(network, 'BF')))
  const LIAISON = cliCommand.map((word) => `'${word}'`).join(' ')
  const drawn = await bash(
    `script -qefc "$LIAISON --home ${home} submit ${file} --topic terrorism" /dev/null`,
    { env: { LIAISON, TERM: 'xterm', NO_COLOR: '1' } },
  )
  t.equal(drawn.code, 0, drawn.stdout)
  t.match(drawn.stdout, /\r\[[#.]{24}\] sending: \d+ % of \d+ kB/)
  t.notOk(/\[\d+m/.test(drawn.stdout), 'a bar, but no colour')
  t.match(drawn.stdout, /with-relay/)
})

t.test('a mistyped type is named with those that exist', async (t) => {
  await using folder = await tempFolder()
  for (const command of ['search mali', 'export csv', 'export stix']) {
    const result = await inProcess(folder.path, [...command.split(' '), '--type', 'spotreps'])
    t.equal(result.code, 2, command)
    t.match(errorIn(result), { code: 'usage_invalid', field: 'type', detail: /spotrep, warning/ })
  }
})

const keyFile = 'identity.json'

t.test('a key file that is none is named, with the reason', async (t) => {
  await using folder = await tempFolder()
  const home = join(folder.path, 'home')
  await mkdir(home, { mode: 0o700 })
  await sodiumReady()
  const path = join(home, keyFile)
  await writeKey(path, null, newIdentity('device'))
  const text = await readFile(path, 'utf8')
  const say = async (content: string): Promise<unknown> => {
    await writeFile(path, content)
    const result = await inProcess(home, ['identity', 'show'])
    t.equal(result.code, 4)
    const { field, detail } = errorIn(result)
    t.equal(field, path)
    return detail
  }
  t.equal(await say(''), 'It is empty.')
  t.equal(await say(text.slice(0, 200)), 'It is cut off, or was changed by hand.')
  t.equal(await say('a picture'), 'It is some other kind of file.')
  t.equal(await say('{"v":1,"name":"trial"}'), 'It is some other kind of file.')
  const { kc: _kc, ...less } = JSON.parse(text) as { readonly kc: string }
  t.equal(await say(JSON.stringify(less)), 'Its field /kc is missing or wrong.')
})
