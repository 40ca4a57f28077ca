import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encryptKeyFile, formatNetworkFile } from '@liaison/client-sdk/admin'
import { openLmdbStore, writeKeyFile } from '@liaison/client-sdk/node'
import { systemClock } from '@liaison/protocol'
import t from 'tap'
import { root } from '../architecture/sources.ts'
import { seededBytes, type TestDevice } from '../support/network.ts'
import type { TestRelay } from '../support/relay.ts'
import { makeReport, openDevice, provision, startReportScenario } from '../support/sdk.ts'

/** A program of `examples/sdk` that runs; it ends with its scope. */
class Example implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  #out = ''

  constructor(name: string, args: readonly string[]) {
    const flags = ['--conditions=@liaison/source', '--import=./scripts/ts.mjs']
    this.#child = spawn(process.execPath, [...flags, `examples/sdk/${name}`, ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 2],
    })
    this.#closed = once(this.#child, 'close')
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#out += text
    })
  }

  /** Waits until the output holds a text. */
  async prints(text: string): Promise<void> {
    while (!this.#out.includes(text)) {
      if (this.#child.exitCode !== null) throw new Error(`ended with: ${this.#out}`)
      await once(this.#child.stdout as NodeJS.ReadableStream, 'data', {
        signal: AbortSignal.timeout(20_000),
      })
    }
  }

  /** Waits for the end. @returns exit code and output. */
  async ends(): Promise<{ readonly code: number | null; readonly out: string }> {
    await this.#closed
    return { code: this.#child.exitCode, out: this.#out }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#closed
  }
}

/** Writes the home folder of a device, as `liaison` would leave it after enrolment. */
async function homeOf(relay: TestRelay, device: TestDevice): Promise<string> {
  const { network, folder, url } = relay
  const file = formatNetworkFile(network.directory, [url], device.num)
  const path = await folder.write(`${device.label}/network.json`, file)
  const home = join(path, '..')
  const storageKey = seededBytes(`storage ${device.label}`, 32)
  const identity = { kind: 'device', signingKey: device.key, storageKey } as const
  await writeKeyFile(join(home, 'identity.json'), await encryptKeyFile(identity, null))
  await using store = await openLmdbStore(join(home, 'store'))
  await provision(network, device, store)
  return home
}

t.test('the SDK examples send a report, and show it to its reader', async (t) => {
  // The examples have the clock of this machine, so the network must be of today.
  const genesisT = systemClock() - 24 * 3600 * 1000
  const options = { genesis: { example: 1 as const }, genesisT }
  await using relay = await startReportScenario(options, { clock: systemClock })
  const { network } = relay
  network.advance(systemClock() - network.now)
  const sender = await homeOf(relay, network.deviceOf('BF'))
  const reader = await homeOf(relay, network.deviceOf('FLU'))
  const report = makeReport(network, 'BF', { title: 'Column seen north of Djibo' })
  const file = await relay.folder.write('report.json', JSON.stringify(report))

  await using follow = new Example('follow.ts', [reader])
  await using send = new Example('send.ts', [sender, 'terrorism', file])
  await follow.prints('BF GREEN spotrep: Column seen north of Djibo')
  const { code, out } = await send.ends()
  t.equal(code, 0)
  t.match(out, /with-relay\nreceived\n$/)
})

t.test('the example of an administrator stops a device at once', async (t) => {
  const options = { genesis: { example: 1 as const }, genesisT: systemClock() - 24 * 3600 * 1000 }
  await using relay = await startReportScenario(options, { clock: systemClock })
  const { network, folder } = relay
  network.advance(systemClock() - network.now)
  const stolen = network.deviceOf('BF')
  await using session = await openDevice(relay, stolen, { clock: systemClock })
  const signingKey = network.adminKeys.get(1)
  if (signingKey === undefined) throw new Error('no administrator')
  const identity = { kind: 'administrator', signingKey, storageKey: seededBytes('s', 32) } as const
  const networkFile = await folder.write(
    'n.json',
    formatNetworkFile(network.directory, [relay.url]),
  )
  const keyFile = join(folder.path, 'administrator.json')
  await writeKeyFile(keyFile, await encryptKeyFile(identity, null))
  const args = [networkFile, keyFile, '1', String(stolen.num), 'stolen']
  await using suspend = new Example('suspend.ts', args)
  const { code, out } = await suspend.ends()
  t.equal(code, 0)
  t.match(out, /^.*BF.*: cuts off 1 device\nin force, entry \d+ of the directory\n$/)
  t.equal((await session.closed).code, 'device_inactive')
})

t.test('an example is short enough to be read at a glance', async (t) => {
  const names = await readdir(join(root, 'examples/sdk'))
  t.same(names.sort(), ['device.ts', 'follow.ts', 'send.ts', 'suspend.ts'])
  for (const name of names) {
    const lines = (await readFile(join(root, 'examples/sdk', name), 'utf8')).trim().split('\n')
    t.ok(lines.length <= 25, `${name}: ${lines.length} lines`)
  }
})

t.test('README.md shows the very example that runs', async (t) => {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  for (const name of ['send.ts', 'device.ts']) {
    const code = (await readFile(join(root, 'examples/sdk', name), 'utf8')).trim()
    t.ok(readme.includes(`\`\`\`ts\n${code}\n\`\`\``), name)
  }
})
