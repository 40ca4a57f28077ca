/** The drill: a relay is copied while it works, restored elsewhere, and its devices go on there. */
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock, toHex } from '@liaison/protocol'
import t from 'tap'
import { Cli, errorIn, liaison, startCliScenario } from '../support/cli.ts'
import type { TestRelay } from '../support/relay.ts'
import { eventually, makeReport, openDevice, shown } from '../support/sdk.ts'
import { tempFolder } from '../support/temp-folder.ts'

// Commands are processes, and the machine may be busy.
t.setTimeout(240_000)

const optionsOf = ({ folder }: TestRelay): string[] => [
  ...['--data', join(folder.path, 'data')],
  ...[
    '--network',
    join(folder.path, 'network.json'),
    '--keys',
    join(folder.path, 'relay-keys-1.json'),
  ],
  ...['--port', '0', '--operator-port', '0', '--log-level', 'silent'],
]
const plain = ['--json', '--no-input']

t.test(
  'copied while reports arrive, restored elsewhere: what was confirmed is there',
  async (t) => {
    await using relay = await startCliScenario()
    const { network, folder } = relay
    const passphrase = await folder.write('passphrase', 'four words of length\n')
    await chmod(passphrase, 0o600)
    const secret = ['--passphrase-file', passphrase]
    const device = (label: string, url: string = relay.url) =>
      openDevice({ network, url, folder }, network.deviceOf(label), { clock: systemClock })
    const dest = join(folder.path, 'backups', 'first')
    const confirmed: string[] = []
    let before = 0
    {
      await using sender = await device('BF')
      await using reader = await device('FLU')
      const publish = async (): Promise<void> => {
        const sent = await sender.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
        await sent.accepted(AbortSignal.timeout(20_000))
        confirmed.push(sent.id)
      }
      for (let i = 0; i < 12; i++) await publish()
      before = confirmed.length
      let copying = true
      const made = liaison(
        [...plain, ...secret, 'relay', 'backup', dest, '--with-keys', ...optionsOf(relay)],
        {},
      ).finally(() => {
        copying = false
      })
      while (copying) await publish()
      const backup = await made
      t.equal(backup.code, 0, backup.stderr)
      t.match(backup.json(), [{ network: 'test.example', keys: 'sealed', store: { kind: 'lmdb' } }])
      t.ok(confirmed.length > before, 'reports went on arriving meanwhile')
      await publish()
      await eventually(
        'all received',
        async () => (await shown(reader)).length === confirmed.length,
      )
    }
    t.same((await readdir(dest)).sort(), [
      ...['manifest.json', 'network.json', 'relay-keys.sealed', 'relay.json', 'relay.mdb'],
    ])
    for (const name of await readdir(dest)) {
      t.equal((await stat(join(dest, name))).mode & 0o077, 0, `${name} is its owner's`)
    }
    const { relay: seed } = JSON.parse(
      await readFile(join(folder.path, 'relay-keys-1.json'), 'utf8'),
    )
    t.notMatch(await readFile(join(dest, 'relay-keys.sealed'), 'latin1'), String(seed))

    const place = join(folder.path, 'elsewhere')
    const restored = await liaison([...plain, ...secret, 'relay', 'restore', dest, '--out', place])
    t.equal(restored.code, 0, restored.stderr)
    t.match(restored.json(), [{ folder: place, keys: 'restored' }])
    t.same((await readdir(place)).sort(), [
      ...['data', 'network.json', 'relay-keys.json', 'relay.json'],
    ])
    await relay.running.stop()
    await using next = new Cli(['--json', 'relay', 'serve', '--config', join(place, 'relay.json')])
    const [, url = ''] = await next.says('stdout', /"url":"([^"]+)"/)

    // One device that never saw the old relay, one that saw more than the new one has, and the sender.
    await using newcomer = await device('ML', url)
    await using ahead = await device('FLU', url)
    const notices: string[] = []
    ahead.on('notice', ({ code }) => notices.push(code))
    const idsOf = async (session: typeof ahead): Promise<string[]> =>
      (await shown(session)).flatMap((d) => (d.kind === 'report' ? [d.report.meta.id] : [d.kind]))
    await eventually('what was confirmed', async () => (await idsOf(newcomer)).length >= before)
    const there = await idsOf(newcomer)
    t.same(there.slice(0, before), confirmed.slice(0, before), 'all that was confirmed, in order')
    t.same(there, confirmed.slice(0, there.length), 'and nothing that was not sent')
    await eventually('the difference is told', async () => notices.includes('cursor_ahead'))

    await using sender = await device('BF', url)
    const sent = await sender.submit(makeReport(network, 'BF'), { topic: 'terrorism' })
    const receipt = await sent.accepted(AbortSignal.timeout(20_000))
    t.equal(receipt.rc, 0, `accepted as ${toHex(receipt.cid).slice(0, 8)}`)
    for (const session of [newcomer, ahead]) {
      await eventually('received by both', async () => (await idsOf(session)).includes(sent.id))
    }
    const last = (await shown(ahead)).find(
      (d) => d.kind === 'report' && d.report.meta.id === sent.id,
    )
    t.match(last, { verified: 'chain-restarted' })
    t.equal(new Set(await idsOf(ahead)).size, confirmed.length + 1, 'nothing is shown twice')
  },
)

t.test('damage is named and refused; nothing is overwritten', async (t) => {
  await using relay = await startCliScenario()
  await using folder = await tempFolder()
  const dest = join(folder.path, 'backup')
  const backup = (...more: string[]) => liaison([...plain, 'relay', 'backup', dest, ...more])
  const made = await backup(...optionsOf(relay))
  t.equal(made.code, 0, made.stderr)
  t.match(made.json(), [{ keys: 'left-out' }])
  t.match(made.stderr, /keys of the relay are not in it/)
  t.same((await readdir(dest)).sort(), ['manifest.json', 'network.json', 'relay.json', 'relay.mdb'])
  const again = await backup(...optionsOf(relay))
  t.equal(again.code, 2)
  t.match(errorIn(again), { code: 'file_exists', field: dest })
  const none = await backup(...optionsOf(relay), '--data', join(folder.path, 'none'))
  t.equal(none.code, 2)

  const data = join(folder.path, 'data')
  const restore = () => liaison([...plain, 'relay', 'restore', dest, '--data', data])
  const names = ['relay.mdb', 'network.json', 'manifest.json']
  for (const name of names) {
    const path = join(dest, name)
    const good = await readFile(path)
    const bad = new Uint8Array(good)
    const at = Math.floor(bad.length / 2)
    bad[at] = (bad[at] ?? 0) ^ 1
    await writeFile(path, bad)
    const refused = await restore()
    t.equal(refused.code, 9, name)
    t.match(errorIn(refused), { code: 'backup_damaged', field: path })
    await writeFile(path, good)
  }
  t.same(await readdir(folder.path), ['backup'], 'nothing was written')

  await folder.write('data/relay.mdb', 'something that is needed')
  const used = await restore()
  t.equal(used.code, 2)
  t.match(errorIn(used), { code: 'file_exists', field: data })
  t.equal(await readFile(join(data, 'relay.mdb'), 'utf8'), 'something that is needed')
  t.equal((await liaison([...plain, 'relay', 'restore', dest])).code, 2, 'to where?')
  const out = join(folder.path, 'out')
  const kept = await liaison([...plain, 'relay', 'restore', dest, '--out', out])
  t.match(kept.json(), [{ folder: out, keys: 'left-out' }])
  t.match(kept.stderr, /put yours at .*relay-keys\.json, chmod 600/)
})
