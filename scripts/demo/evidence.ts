import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toBase64url, toHex } from '@liaison/protocol'
import type { Cast } from './cast.ts'
import type { DemoResult } from './count.ts'

const note = `What the demonstration left behind, so that somebody else can count again.

result.json          the figures
network.json         the network file: the genesis, from which everything else is verified
directory.json       the entries of the directory log, base64url, from index 0
audit.json           the relay's audit leaves, base64url, from index 0
accepted.json        each accepted report: file, core hash, sender, readers by the directory
acknowledgements.json  what readers said, signed by their devices: acknowledgement and signature
relay-data/          the relay's whole store; of Redis each key's values, one after the other
relay.log            everything the relay printed
devices/NAME.json    each device's screen, in order: kind and core hash
`

/** Leaves behind what an outsider needs to count everything again. Called after the relay stopped. */
export async function leaveEvidence(folder: string, cast: Cast, result: DemoResult): Promise<void> {
  const { files } = cast.stage
  const put = (name: string, value: unknown): Promise<void> =>
    writeFile(join(folder, name), `${JSON.stringify(value, null, 2)}\n`)
  await mkdir(join(folder, 'devices'), { recursive: true })
  await writeFile(join(folder, 'README.txt'), note)
  await cp(files.data, join(folder, 'relay-data'), { recursive: true })
  await cp(files.log, join(folder, 'relay.log'))
  await cp(files.network, join(folder, 'network.json'))
  await put('result.json', result)
  const { directory } = cast
  const entries = Array.from({ length: directory.size }, (_, i) => directory.entry(i))
  await put(
    'directory.json',
    entries.map((entry) => toBase64url(entry ?? new Uint8Array())),
  )
  const { net } = cast.stage
  await using log = await cast.stage.store.open(net)
  const leaves = await log.readLeaves(0, log.leafCount())
  await put('audit.json', leaves.map(toBase64url))
  const acks = await Promise.all(
    directory.members().map(async ({ num, code }) => ({
      member: code,
      acknowledgements: (await log.readAcks(num, 0, log.ackHead(num))).map(({ ack, sig }) => ({
        ack: toBase64url(ack),
        sig: toBase64url(sig),
      })),
    })),
  )
  await put('acknowledgements.json', acks)
  await put(
    'accepted.json',
    cast.accepted.map(({ planned, core, sender, readers }) => ({
      file: planned.file,
      id: planned.report.meta.id,
      core,
      sender,
      readers,
    })),
  )
  for (const device of cast.devices.values()) {
    await put(
      join('devices', `${device.example.id}.json`),
      device.screen.map((d) => ({
        kind: d.kind,
        core: d.kind === 'gap' || d.core === null ? null : toHex(d.core),
      })),
    )
  }
}
