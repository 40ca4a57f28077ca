/** Three relays on one Redis, one killed while devices publish through all of them: no figure changes. */
import type { Session, Submission } from '@liaison/client-sdk'
import { sodiumReady } from '@liaison/protocol'
import { openRedisLog } from '@liaison/server'
import t from 'tap'
import { localNetwork } from '../support/local-network.ts'
import { RedisServer } from '../support/redis-server.ts'
import { prepareRelay } from '../support/relay.ts'
import { RelayProcess } from '../support/relay-process.ts'
import { makeReport, openDevice, shown } from '../support/sdk.ts'
import { type TempFolder, tempFolder } from '../support/temp-folder.ts'

await sodiumReady()

// Processes that come back, and the machine may be busy.
t.setTimeout(180_000)

/** Reports of each sender before, during and after the end of a relay. */
const each = 6

/** Longest wait for anything, ms; nothing here says how fast it must be. */
const waitMs = 60_000

t.test('every report is accepted and shown once to each reader', async (t) => {
  const network = localNetwork(3)
  await using redis = await RedisServer.start()
  await using folder = await tempFolder()
  const folders: TempFolder[] = []
  const relays: RelayProcess[] = []
  const sessions: Session[] = []
  const open = async (label: string, relay: number): Promise<Session> => {
    const device = [...network.devices.values()].find((one) => one.label === label)
    if (device === undefined) throw new Error(`no device ${label}`)
    const at = { network, url: relays[relay]?.url ?? '', folder }
    const session = await openDevice(at, device)
    sessions.push(session)
    return session
  }
  try {
    for (const number of [1, 2, 3]) {
      const config = await prepareRelay(network, folder, { redis, number, keepData: number > 1 })
      const own = await tempFolder()
      folders.push(own)
      relays.push(await RelayProcess.start(own, config, network.now))
    }
    const senders = [await open('bf-1', 0), await open('ml-1', 1), await open('ne-1', 2)]
    const members = ['BF', 'ML', 'NE']
    const readers = [
      ...[senders[0], senders[2]].map((session) => session as Session),
      await open('flu-1', 0),
      await open('flu-2', 1),
      await open('flu-3', 2),
    ]
    const sent: { readonly id: string; readonly by: number }[] = []
    const submit = async (by: number): Promise<Submission> => {
      const report = makeReport(network, members[by] ?? '')
      sent.push({ id: report.meta.id, by })
      return (senders[by] as Session).submit(report, { topic: 'terrorism' })
    }
    const accepted = (one: Submission) => one.accepted(AbortSignal.timeout(waitMs))
    const round = async (who: readonly number[]): Promise<void> => {
      for (let i = 0; i < each; i++) {
        const submissions = await Promise.all(who.map(submit))
        await Promise.all(submissions.map(accepted))
      }
    }
    await round([0, 1, 2])

    // Under way at all three when one of them ends without a word.
    const under = await Promise.all(
      Array.from({ length: each }, () => [0, 1, 2].map(submit)).flat(),
    )
    const open1 = sent.slice(-under.length).filter(({ by }) => by === 1)
    await relays[1]?.kill()
    const others = under.filter((_, i) => sent[sent.length - under.length + i]?.by !== 1)
    await Promise.all(others.map(accepted))
    await round([0, 2])

    // Its sender goes to another relay, with what nobody knows the outcome of; its reader waits for it.
    await senders[1]?.[Symbol.asyncDispose]()
    senders[1] = await open('ml-1', 2)
    for (const { id } of open1) await accepted((senders[1] as Session).submission(id))
    await relays[1]?.restart()
    await round([0, 1, 2])

    readers.push(senders[1] as Session)
    // A sender's own reports are on its screen too.
    const wanted = sent.map(({ id }) => id).toSorted()
    for (const reader of readers) {
      const end = performance.now() + waitMs
      reader.connectNow()
      let ids: string[] = []
      while (ids.length < wanted.length && performance.now() < end) {
        const all = await shown(reader)
        ids = all.map((d) => (d.kind === 'report' ? d.report.meta.id : d.kind))
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      t.same(ids.toSorted(), wanted, 'each once, and nothing else')
    }
    await using log = await openRedisLog({ redis: redis.options, net: network.directory.net })
    t.equal(log.topicHead(network.topic('terrorism')), sent.length, 'each was accepted once')
    t.equal(sent.length, each * 11)
  } finally {
    for (const session of sessions) await session[Symbol.asyncDispose]().catch(() => undefined)
    for (const relay of relays) await relay[Symbol.asyncDispose]()
    for (const own of folders) await own[Symbol.asyncDispose]()
  }
})
