import { execFile } from 'node:child_process'
import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { pause } from '../world/processes.ts'
import type { RedisNode } from '../world/redis-node.ts'
import { deepRead } from './deep-read.ts'
import { type FaultKind, someMs } from './kind.ts'

async function startAgain(node: RedisNode): Promise<void> {
  if (!(await node.start())) throw new Error(`${node.name} does not start again: ${node.logFile}`)
}

/** Longest time in which a server whose disk fails must have noticed, ms. */
const noticeMsMax = 15_000

/** What happens to the one server of the profile `single`. */
export const storeFaults: readonly FaultKind[] = [
  {
    name: 'redis-kill',
    what: 'the server is killed and started again',
    lane: 'servers',
    draw: (random) => ({ awayMs: someMs(random, 0, 1_500) }),
    async run({ store: { node } }, draw) {
      await node.kill()
      await pause(draw['awayMs'] ?? 0)
      await startAgain(node)
    },
  },
  {
    name: 'power-cut',
    what: 'the server loses its power: what was not synced is gone',
    lane: 'servers',
    needs: 'compiler',
    draw: (random) => ({ awayMs: someMs(random, 0, 800) }),
    async run({ store: { node } }, draw) {
      await node.kill()
      await node.dropUnsynced()
      await pause(draw['awayMs'] ?? 0)
      await startAgain(node)
    },
  },
  {
    name: 'redis-pause',
    what: 'the server holds still, often for longer than its clients wait',
    lane: 'servers',
    draw: (random) => ({ ms: someMs(random, 100, 7_000) }),
    async run({ store: { node } }, draw) {
      node.signal('SIGSTOP')
      await pause(draw['ms'] ?? 0)
      node.signal('SIGCONT')
    },
  },
  {
    name: 'disk-full',
    what: 'the disk of the server is full, then there is room again',
    lane: 'servers',
    needs: 'namespaces',
    draw: () => ({}),
    async run({ store: { node } }) {
      const filler = join(node.dataFolder, 'filler')
      await fillUp(filler)
      const noticed = await node.gone(noticeMsMax)
      await rm(filler, { force: true })
      if (!noticed) throw new Error('the server took writes on a full disk')
      await startAgain(node)
    },
  },
  {
    name: 'sync-error',
    what: 'the disk of the server fails to sync, and loses what it had not',
    lane: 'servers',
    needs: 'compiler',
    draw: () => ({}),
    async run({ store: { node } }) {
      await node.failSyncs(true)
      const noticed = await node.gone(noticeMsMax)
      await node.failSyncs(false)
      if (!noticed) throw new Error('the server went on after a failed sync')
      await node.dropUnsynced()
      await startAgain(node)
    },
  },
  {
    name: 'bit-flip',
    what: 'a bit of the file changes: it is found and named, or nothing that is read differs',
    lane: 'servers',
    draw: (random) => ({ place: random.next(), bit: random.integer(8) }),
    async run(world, draw) {
      const { node } = world.store
      // Nobody writes meanwhile: what is read before and after must be the same.
      for (const relay of world.relays) world.store.wiresOf(relay.number)?.cut()
      const before = await deepRead(world)
      await node.kill()
      const { size } = await stat(node.appendOnlyFile)
      const at = Math.floor((draw['place'] ?? 0) * size)
      await node.flipBit(at, draw['bit'] ?? 0)
      const started = await node.start(8_000)
      const after = started ? await deepRead(world) : { kind: 'refused' as const, detail: '' }
      await node.kill()
      await node.flipBit(at, draw['bit'] ?? 0)
      await startAgain(node)
      for (const relay of world.relays) world.store.wiresOf(relay.number)?.heal()
      const isSilent =
        after.kind === 'read' && before.kind === 'read' && after.digest !== before.digest
      if (isSilent || before.kind !== 'read') {
        throw new Error(`bit ${draw['bit']} of byte ${at} of ${size} was served: ${before.kind}`)
      }
      return `${after.kind} ${'detail' in after ? after.detail : ''}`
    },
  },
]

/** Takes all the room that is left; the program fails when there is none, which is what is wanted. */
async function fillUp(file: string): Promise<void> {
  await promisify(execFile)('dd', ['if=/dev/zero', `of=${file}`, 'bs=1M']).catch(() => undefined)
}
