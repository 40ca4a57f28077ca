/** What is looked at from outside: the log as it stands in Redis, memory, disks. */
import { open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type AudienceQuery,
  type Ctx,
  chainIdOf,
  decodeCtx,
  envelopeKinds,
  epochMs,
  toHex,
} from '@liaison/protocol'
import { type CborMap, decodeCbor } from '@liaison/protocol/internal'
import type { RelayLog, StoredEnvelope } from '@liaison/server'
import type { Redis } from 'ioredis'
import { redisKeys } from '../../../server/src/log/redis/redis-keys.ts'
import type { TestNetwork } from '../../support/network.ts'
import type { HistoryWriter } from '../history.ts'

type StreamEntry = readonly [Buffer, readonly Buffer[]]

const pageMax = 256

/** All entries of a stream: position, and the field `b`; also of one that the log would call damaged. */
async function* stream(redis: Redis, key: string): AsyncGenerator<readonly [number, Buffer]> {
  for (let from = '-'; ; ) {
    const page = (await redis.callBuffer('XRANGE', [
      key,
      from,
      '+',
      'COUNT',
      `${pageMax}`,
    ])) as readonly StreamEntry[]
    for (const [id, fields] of page) {
      const at = fields.findIndex((field) => field.toString('latin1') === 'b')
      yield [Number(id.toString('latin1').split('-')[0]), fields[at + 1] as Buffer]
    }
    const last = page.at(-1)
    if (last === undefined || page.length < pageMax) return
    from = `(${last[0].toString('latin1')}`
  }
}

/** An entry of the topic, as far as readers are concerned. */
export interface Owed {
  readonly core: string
  readonly from: number
  readonly cursor: number
  readonly devs: readonly number[]
}

async function* envelopes(log: RelayLog, topic: number): AsyncGenerator<StoredEnvelope> {
  for (let after = 0; after < log.topicHead(topic); after += pageMax) {
    yield* await log.readTopic(topic, after, pageMax)
  }
}

/** Writes the whole log into the history. @returns the entries of the topic */
export async function recordLog(
  { redis, log }: { readonly redis: Redis; readonly log: RelayLog },
  network: TestNetwork,
  topic: number,
  writer: Pick<HistoryWriter, 'add'>,
): Promise<Owed[]> {
  const { net } = network.directory
  const keys = redisKeys(net)
  const leafOf = new Map<string, number>()
  let leaves = 0
  for await (const [position, bytes] of stream(redis, keys.leaves)) {
    leaves++
    const decoded = decodeCbor(new Uint8Array(bytes))
    const leaf = (decoded.ok ? decoded.value : {}) as CborMap
    if (leaf['e'] === 'directory') {
      const cur = Number(leaf['cur'])
      writer.add({ type: 'ok', op: 'leaf', id: 'directory', ix: position - 1, cur })
    }
    if (leaf['e'] !== 'accept') continue
    const core = toHex(leaf['obj'] as Uint8Array)
    const ix = position - 1
    leafOf.set(core, leafOf.get(core) ?? ix)
    writer.add({ type: 'ok', op: 'leaf', id: 'accept', core, ix })
  }
  const audiences = new Map<string, readonly number[]>()
  const entries: Owed[] = []
  for await (const { cursor, ...record } of envelopes(log, topic)) {
    const ctx = decodeCtx(record.ctx)
    if (!ctx.ok) throw new Error(`entry ${cursor}: ${ctx.error}`)
    const { id, from, dir, hc, seq, k, inc = 0, aud, to } = ctx.value
    const key = `${dir[0]} ${hc} ${aud?.[0]} ${to?.join() ?? 'all'}`
    const devs = audiences.get(key) ?? audienceOf(network, ctx.value)
    if (!audiences.has(key)) writer.add({ type: 'ok', op: 'audience', id: key, devs })
    audiences.set(key, devs)
    const core = toHex(record.core)
    entries.push({ core, from, cursor, devs })
    writer.add({
      type: 'ok',
      op: 'log',
      id: toHex(id),
      dev: from,
      core,
      cur: cursor,
      ix: leafOf.get(core) ?? -1,
      chain: `${toHex(chainIdOf(net, ctx.value))} ${inc}`,
      seq,
      kind: key,
      ...(k === envelopeKinds.violation ? { detail: 'notice' } : {}),
    })
  }
  const dir = Number(await redis.hget(keys.numbers, 'dir'))
  writer.add({ type: 'ok', op: 'sizes', id: 'at the end', leaves, dir })
  return entries
}

function audienceOf(network: TestNetwork, { dir, top, hc, t, aud, to }: Ctx): number[] {
  const query: AudienceQuery = {
    topic: top,
    hc,
    mode: (aud?.[0] ?? 0) as AudienceQuery['mode'],
    t: epochMs(t),
    ...(to === undefined ? {} : { to }),
  }
  const audience = network.directory.audience(query, dir[0])
  if (!audience.ok) throw new Error(`no audience at ${dir[0]}: ${audience.error}`)
  return audience.value.recipients.map(({ dev }) => dev)
}

/** The text as it may lie about: plain, hexadecimal, and Base64 at each of its three beginnings. */
export function disguises(canary: string): Buffer[] {
  const plain = Buffer.from(canary)
  const base64 = [0, 1, 2].map((skip) => {
    const text = Buffer.concat([Buffer.alloc(skip), plain]).toString('base64')
    // The first and last letters depend on what stands around.
    return Buffer.from(text.slice(skip === 0 ? 0 : 4, text.length - 8))
  })
  return [plain, Buffer.from(plain.toString('hex')), ...base64]
}

/** How often any of these stands in the bytes. */
export function occurrences(bytes: Buffer, needles: readonly Buffer[]): number {
  let count = 0
  for (const needle of needles) {
    for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) count++
  }
  return count
}

/** Looks through all files below a folder. */
export async function scanFiles(
  folder: string,
  needles: readonly Buffer[],
): Promise<{ readonly bytes: number; readonly found: number }> {
  let [bytes, found] = [0, 0]
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  for (const entry of entries.filter((one) => one.isFile())) {
    const content = await readFile(join(entry.parentPath, entry.name))
    bytes += content.length
    found += occurrences(content, needles)
  }
  return { bytes, found }
}

/** Looks through the memory that a process may write to; null where that is not permitted. */
export async function scanMemory(
  pid: number,
  needles: readonly Buffer[],
): Promise<{ readonly bytes: number; readonly found: number } | null> {
  const maps = await readFile(`/proc/${pid}/maps`, 'utf8').catch(() => null)
  const memory = await open(`/proc/${pid}/mem`, 'r').catch(() => null)
  if (maps === null || memory === null) return null
  let [bytes, found] = [0, 0]
  try {
    for (const line of maps.split('\n')) {
      const match = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line)
      if (match === null || line.includes('[v')) continue
      const start = Number.parseInt(match[1] ?? '0', 16)
      const length = Number.parseInt(match[2] ?? '0', 16) - start
      const step = 16 * 1024 * 1024
      for (let at = 0; at < length; at += step) {
        const part = Buffer.alloc(Math.min(step, length - at))
        const read = await memory.read(part, 0, part.length, start + at).catch(() => null)
        if (read === null) break
        bytes += read.bytesRead
        found += occurrences(part, needles)
      }
    }
  } finally {
    await memory.close()
  }
  return { bytes, found }
}
