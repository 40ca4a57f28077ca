/** A store that was damaged on its disk: the relay says what and where, and does not start. */
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type RelayError, sodiumReady } from '@liaison/protocol'
import t from 'tap'
import { makeSealingNetwork } from '../support/epoch-keys.ts'
import { prepareRelay, startTestRelay } from '../support/relay.ts'
import { startMain } from '../support/relay-main.ts'
import { tempFolder } from '../support/temp-folder.ts'

await sodiumReady()

interface Damage {
  readonly what: string
  readonly spoil: (file: Buffer) => Buffer
  /** What the refusal says. */
  readonly said: RegExp
}

const network = makeSealingNetwork()

/** Flips one bit of the last statement wherever it stands: older pages hold it too. */
function flipEntry(file: Buffer): Buffer {
  const entry = Buffer.from(network.entries().at(-1) as Uint8Array)
  let found = 0
  for (let at = file.indexOf(entry); at >= 0; at = file.indexOf(entry, at + 1)) {
    const place = at + Math.floor(entry.length / 2)
    file[place] = (file[place] as number) ^ 1
    found++
  }
  if (found === 0) throw new Error('the entry is not in the file in one piece')
  return file
}

const write32 = (file: Buffer, value: number, at: number): Buffer => {
  file.writeUInt32LE(value, at)
  return file
}

const damages: readonly Damage[] = [
  { what: 'an empty file', spoil: () => Buffer.alloc(0), said: /relay\.mdb is empty/ },
  { what: 'random bytes', spoil: () => randomBytes(65_536), said: /relay\.mdb is not a store/ },
  { what: 'one page', spoil: (file) => file.subarray(0, 4096), said: /was cut off/ },
  {
    what: 'half a file',
    spoil: (file) => file.subarray(0, 20_480),
    said: /log_corrupt|cut off|MDB/,
  },
  { what: 'a second header of zeros', spoil: (f) => f.fill(0, 4096, 8192), said: /damaged header/ },
  { what: 'another format', spoil: (f) => write32(f, 99, 28), said: /has another format/ },
  { what: 'one bit in a statement', spoil: flipEntry, said: /directory entry \d+/ },
]

t.test('each kind of damage has its own words', async (t) => {
  await using folder = await tempFolder()
  const input = await prepareRelay(network, folder)
  const good = await readFile(join(String(input['data']), 'relay.mdb'))
  for (const [i, { what, spoil, said }] of damages.entries()) {
    const data = join(folder.path, `damaged-${i}`)
    await mkdir(data)
    await writeFile(join(data, 'relay.mdb'), spoil(Buffer.from(good)))
    const started = startTestRelay(network, { folder, keepData: true, config: { data } })
    const refused = await started.then(
      () => null,
      (error: unknown) => error as RelayError,
    )
    t.match(refused?.code, /^(log_corrupt|store_mismatch)$/, what)
    t.match(refused?.detail, said, what)
  }
})

t.test('the relay ends with 78 and names the file', async (t) => {
  await using folder = await tempFolder()
  const input = await prepareRelay(network, folder)
  await writeFile(join(String(input['data']), 'relay.mdb'), randomBytes(65_536))
  await using main = startMain({
    data: String(input['data']),
    network: String(input['network']),
    keys: String(input['keys']),
  })
  const { code, out } = await main.ended()
  t.equal(code, 78)
  t.match(out, /log_corrupt: .*relay\.mdb is not a store/)
})

t.test('a folder that cannot be made is named', async (t) => {
  await using folder = await tempFolder()
  const input = await prepareRelay(network, folder)
  const file = await folder.write('a-file', 'x')
  await using main = startMain({
    data: join(file, 'data'),
    network: String(input['network']),
    keys: String(input['keys']),
  })
  const { code, out } = await main.ended()
  t.equal(code, 78)
  t.match(out, /a-file\/data cannot be read and written/)
})
