/** Backups of a device: what is in them comes back, and nothing that was sent is signed over. */
import { chmod, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openLmdbStore } from '@liaison/client-sdk/node'
import t from 'tap'
import {
  type CliResult,
  errorIn,
  type Json,
  liaison,
  makeHome,
  startCliScenario,
} from '../support/cli.ts'
import { makeReport } from '../support/sdk.ts'

const nowhere = 'ws://127.0.0.1:9/relay'
const passphrase = 'four words of length'

// Commands are processes, and the machine may be busy.
t.setTimeout(240_000)

/** A relay, a device with a passphrase, and a reader of what it sends. */
async function startBackupScenario() {
  const relay = await startCliScenario()
  const { network, folder, url } = relay
  const home = await makeHome(network, network.deviceOf('BF'), { folder, url, passphrase })
  const reader = await makeHome(network, network.deviceOf('ML'), { folder, url })
  const secret = await folder.write('passphrase', `${passphrase}\n`)
  await chmod(secret, 0o600)
  const run = (in_: string, args: readonly string[], input = ''): Promise<CliResult> =>
    liaison(['--json', '--no-input', '--passphrase-file', secret, ...args], { home: in_, input })
  const send = async (from: string, ...more: string[]): Promise<Json> => {
    const report = makeReport(network, 'BF')
    const args = ['submit', '-', '--topic', 'terrorism', ...more]
    const sent = await run(from, args, JSON.stringify(report))
    return { ...sent.json()[0], code: sent.code }
  }
  return { relay, home, reader, folder, run, send, network, url }
}

t.test('an old backup, restored: nothing is lost, sent twice, or signed over', async (t) => {
  const { relay: running, home, reader, folder, run, send } = await startBackupScenario()
  await using relay = running
  const before = await send(home)
  t.equal(before['code'], 0)
  const waiting = await send(home, '--relay', nowhere, '--timeout', '0')
  t.equal(waiting['code'], 8)

  const file = join(folder.path, 'bf.backup')
  const backup = await run(home, ['identity', 'backup', file])
  t.equal(backup.code, 0, backup.stderr)
  t.match(backup.json(), [{ file, network: 'test.example', publicKey: /^[\w-]{43}$/ }])
  t.equal((await stat(file)).mode & 0o777, 0o600)
  const bytes = await readFile(file)
  t.equal(backup.json()[0]?.['bytes'], bytes.length)
  t.notMatch(bytes.toString('latin1'), /What report/, 'no words of a report in it')
  t.equal((await run(home, ['identity', 'backup', file])).code, 2, 'it is not replaced')

  // Life goes on: what waited is taken back, and two more places of the chain are used.
  t.equal((await run(home, ['outbox', 'cancel', String(waiting['id'])])).code, 0)
  const after = [await send(home), await send(home)]
  t.same(
    after.map(({ code }) => code),
    [0, 0],
  )

  const other = join(folder.path, 'other')
  const restored = await run(other, ['identity', 'restore', file])
  t.equal(restored.code, 0, restored.stderr)
  t.match(restored.json(), [{ network: 'test.example', held: [waiting['id']], replaced: null }])
  t.match(restored.stderr, /identity rotate/)
  t.same((await readdir(other)).sort(), ['identity.json', 'network.json', 'store'])
  t.equal((await stat(join(other, 'identity.json'))).mode & 0o777, 0o600)
  t.equal(
    await readFile(join(other, 'identity.json'), 'utf8'),
    await readFile(join(home, 'identity.json'), 'utf8'),
  )

  const outbox = await run(other, ['outbox', 'list'])
  t.match(outbox.json(), [
    { id: before['id'], state: 'with-relay' },
    { id: waiting['id'], state: 'refused', code: 'outcome_forgotten' },
  ])
  t.match((await run(other, ['outbox', 'flush'])).json(), [{ sent: 0, waiting: 0 }])
  const again = await send(other)
  t.equal(again['code'], 0)
  const second = await send(other)
  t.equal(second['code'], 0)
  const metrics = await (await fetch(`${relay.running.operatorUrl}/metrics`)).text()
  t.match(metrics, /liaison_envelopes_accepted_total 5\n/)
  t.notMatch(metrics, /envelopes_refused_total\{/, 'no place was tried a second time')

  const feed = (await run(reader, ['feed', 'list'])).json()
  const ids = feed.map(({ report }) => (report as { meta: { id: string } }).meta.id)
  t.same(
    ids,
    [before, ...after, again, second].map(({ id }) => id),
  )
  t.same(
    feed.map(({ verified }) => verified),
    [true, true, true, 'chain-restarted', true],
  )
  t.equal((await run(other, ['identity', 'rotate'])).code, 0)
  t.equal((await run(other, ['outbox', 'retry', String(waiting['id'])])).code, 0)
  t.match((await run(other, ['outbox', 'flush'])).json(), [{ sent: 1, waiting: 0 }])
})

t.test('what cannot be restored changes nothing', async (t) => {
  const { relay: running, home, folder, run, network } = await startBackupScenario()
  await using _relay = running
  const file = join(folder.path, 'bf.backup')
  t.equal((await run(home, ['identity', 'backup', file])).code, 0)
  const whole = await readFile(file)
  const other = join(folder.path, 'other')
  const refused = async (name: string, bytes: Uint8Array, code: string, exit: number) => {
    const spoilt = await folder.write(name, bytes)
    const result = await run(other, ['identity', 'restore', spoilt])
    t.equal(result.code, exit, `${name}: ${result.stderr}`)
    t.match(errorIn(result), { code, field: spoilt }, name)
  }
  const flipped = (at: number): Uint8Array => {
    const bytes = new Uint8Array(whole)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    return bytes
  }
  // The last part is 4 bytes of length and 17 bytes that say that it is the last.
  await Promise.all([
    refused('cut between parts', whole.subarray(0, whole.length - 21), 'backup_damaged', 9),
    refused('a byte', flipped(whole.length - 1000), 'backup_damaged', 9),
    refused('something else', Buffer.from('{"v":1}\n'), 'backup_damaged', 9),
  ])
  t.same(await readdir(other), [], 'nothing is left of them')

  const wrong = await folder.write('wrong', 'four words of lenght\n')
  await chmod(wrong, 0o600)
  const restore = (into: string, ...more: string[]) =>
    liaison(['--json', '--no-input', ...more, 'identity', 'restore', file], { home: into })
  const mistyped = await restore(other, '--passphrase-file', wrong)
  t.equal(mistyped.code, 4)
  t.match(errorIn(mistyped), { code: 'passphrase_wrong', field: file })
  const unasked = await restore(other)
  t.equal(unasked.code, 2, 'nobody can be asked')
  t.match(errorIn(unasked), { field: 'passphrase-file' })
  const absent = await run(other, ['identity', 'restore', join(folder.path, 'none')])
  t.equal(absent.code, 2)
  t.equal(errorIn(absent)['code'], 'file_unavailable')

  await writeFile(join(other, 'network.json'), await otherNetwork(network.directory.name))
  const foreign = await run(other, ['identity', 'restore', file])
  t.equal(foreign.code, 3)
  t.match(errorIn(foreign), { code: 'network_mismatch', field: join(other, 'network.json') })
  t.same(await readdir(other), ['network.json'])
})

/** The network file of another network. */
async function otherNetwork(name: string): Promise<string> {
  await using relay = await startCliScenario()
  const { network, folder, url } = relay
  const home = await makeHome(network, network.deviceOf('BF'), { folder, url })
  t.equal(network.directory.name, name, 'of the same name, founded at another time')
  return readFile(join(home, 'network.json'), 'utf8')
}

t.test('an identity that is there is never lost', async (t) => {
  const { relay: running, home, folder, run, send } = await startBackupScenario()
  await using _relay = running
  const file = join(folder.path, 'bf.backup')
  t.equal((await run(home, ['identity', 'backup', file])).code, 0)
  t.equal((await send(home))['code'], 0)
  const restore = (...more: string[]) => run(home, ['identity', 'restore', file, ...more])
  const refused = await restore()
  t.equal(refused.code, 4)
  t.match(errorIn(refused), { code: 'key_file_exists', detail: /--force/ })
  {
    await using store = await openLmdbStore(join(home, 'store'))
    t.same(await store.list('drafts'), [])
    const busy = await restore('--force')
    t.equal(busy.code, 3)
    t.equal(errorIn(busy)['code'], 'store_locked')
    t.equal((await run(home, ['identity', 'backup', `${file}.2`])).code, 3, 'nor a backup')
  }
  const key = await readFile(join(home, 'identity.json'), 'utf8')
  const forced = await restore('--force')
  t.equal(forced.code, 0, forced.stderr)
  const aside = String(forced.json()[0]?.['replaced'])
  t.same((await readdir(aside)).sort(), ['identity.json', 'store'])
  t.equal(await readFile(join(aside, 'identity.json'), 'utf8'), key)
  t.same((await run(home, ['outbox', 'list'])).json(), [], 'the store of the backup')
  t.equal((await send(home))['code'], 0)
})

t.test('a key that has no network yet', async (t) => {
  const { relay: running, home, folder, run } = await startBackupScenario()
  await using _relay = running
  const [made, other] = [join(folder.path, 'made'), join(folder.path, 'other')]
  const file = join(folder.path, 'key.backup')
  await mkdir(made, { mode: 0o700 })
  await rename(join(home, 'identity.json'), join(made, 'identity.json'))
  t.match((await run(made, ['identity', 'backup', file])).json(), [{ network: null }])
  const restored = await run(other, ['identity', 'restore', file])
  t.match(restored.json(), [{ network: null, rows: 0, held: [] }])
  t.same(await readdir(other), ['identity.json'])
})
