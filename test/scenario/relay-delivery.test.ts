import {
  chainIdOf,
  type DeliverItem,
  decodeCore,
  type Envelope,
  epochMs,
  limits,
  slotInRoot,
  textOf,
  toHex,
  verifyEnvelopeSignature,
} from '@liaison/protocol'
import { checkSlots, openEnvelope } from '@liaison/seal'
import t from 'tap'
import { Composer } from '../support/composer.ts'
import { pairOf } from '../support/epoch-keys.ts'
import { seededKey, type TestDevice, type TestNetwork } from '../support/network.ts'
import type { RawClient } from '../support/raw-client.ts'
import { startScenario } from '../support/relay.ts'

type Full = Extract<DeliverItem, { form: 'full' }>

const full = (item: DeliverItem | undefined): Full => {
  if (item?.form !== 'full') throw new Error(`not a full item: ${item?.form}`)
  return item
}

/** Opens an item as a reader does, every check included. */
function openItem(network: TestNetwork, reader: TestDevice, item: Full): string {
  const { directory } = network
  const decoded = decodeCore(directory.net, item.ctx, item.seal)
  if (!decoded.ok) throw new Error(decoded.error)
  const { ctx, seal } = decoded.value
  const sender = directory.device(ctx.from)
  if (sender === null || !verifyEnvelopeSignature(directory.net, sender.identityKey, item)) {
    throw new Error('signature')
  }
  const n = ctx.aud?.[1] ?? 0
  if (!slotInRoot(seal, n, item.idx, item.slot, item.path).ok) throw new Error('path')
  const pair = pairOf(network, reader, epochMs(ctx.t))
  const opened = openEnvelope({
    net: directory.net,
    ctx: item.ctx,
    seal,
    payload: item.payload,
    idx: item.idx,
    slot: item.slot,
    kid: pair.kid,
    secretKey: pair.secretKey,
  })
  if (!opened.ok) throw new Error(opened.error)
  const { messageKey, body } = opened.value
  const flu = item.flu.map(([idx, path]) => {
    const device = network.deviceOf('FLU', idx)
    const { kid, publicKey } = pairOf(network, device, epochMs(ctx.t))
    return { idx, kid, publicKey, path }
  })
  const checked = checkSlots({ net: directory.net, ctx: item.ctx, seal, n, messageKey }, flu)
  if (!checked.ok) throw new Error(checked.error)
  return textOf(body)
}

/** Takes deliver frames until so many items have come; gives credit back as it goes. */
async function take(client: RawClient, count: number): Promise<DeliverItem[]> {
  const items: DeliverItem[] = []
  while (items.length < count) {
    const frame = await client.next('deliver')
    items.push(...frame.items)
    client.send({ kind: 'credit', sub: frame.sub, frames: 1, bytes: 65_536 })
  }
  return items
}

t.test('each recipient gets its own slot, opens it, and can check those of the unit', async (t) => {
  await using relay = await startScenario()
  const { network } = relay
  const sender = network.deviceOf('BF')
  const sealed = new Composer(network, sender).seal({ body: '{"text":"to all"}' })
  const publisher = await relay.client(sender)
  t.same((await publisher.publish(sealed.envelope)).codes, ['ok'])
  const audience = network.directory.audience({
    topic: network.topic('terrorism'),
    hc: 2,
    mode: 0,
    t: network.now,
  })
  if (!audience.ok) throw new Error(audience.error)
  const devices = audience.value.recipients.map(({ dev }) => dev)
  t.same(
    devices.slice(0, 3),
    [0, 1, 2].map((nth) => network.deviceOf('FLU', nth).num),
    'the unit comes first',
  )
  for (const [idx, dev] of devices.entries()) {
    const device = network.devices.get(dev) as TestDevice
    const client = dev === sender.num ? publisher : await relay.client(device)
    client.subscribe(2, network.topic('terrorism'), 0, idx % 2 === 0)
    const item = full((await client.next('deliver')).items[0])
    t.equal(item.idx, idx)
    t.equal(item.slot.length, limits.slotBytes)
    t.equal(item.flu.length, idx % 2 === 0 ? 3 : 0)
    t.equal(openItem(network, device, item), '{"text":"to all"}')
  }
})

t.test('what is not for a device is a skip, told once when it catches up', async (t) => {
  await using relay = await startScenario()
  const { network } = relay
  const top = network.topic('terrorism')
  const composer = new Composer(network, network.deviceOf('BF'))
  const publisher = await relay.client(composer.device)
  const only = [network.member('ML')]
  const seal = (to?: readonly number[]): Envelope =>
    composer.seal(to === undefined ? {} : { to }).envelope
  const frame = [seal(only), seal(only), seal(), seal(only)]
  t.same((await publisher.publish(...frame)).codes, ['ok', 'ok', 'ok', 'ok'])
  const outsider = await relay.client(network.deviceOf('NE'))
  outsider.subscribe(1, top)
  t.match(await take(outsider, 3), [
    { form: 'skip', cursor: 1, to: 2 },
    { form: 'full', cursor: 3 },
    { form: 'skip', cursor: 4, to: 4 },
  ])
  await publisher.publish(seal(only), seal())
  t.match(
    await take(outsider, 2),
    [
      { form: 'skip', cursor: 5, to: 5 },
      { form: 'full', cursor: 6 },
    ],
    'live, a skip travels with the next item',
  )
})

t.test('delivery goes from the past to the present without a seam', async (t) => {
  await using relay = await startScenario()
  const { network } = relay
  const top = network.topic('terrorism')
  const composer = new Composer(network, network.deviceOf('BF'))
  const publisher = await relay.client(composer.device)
  for (let i = 0; i < 10; i++) {
    const frame = Array.from({ length: 10 }, () => composer.seal().envelope)
    t.ok((await publisher.publish(...frame)).codes.every((code) => code === 'ok'))
  }
  const reader = await relay.client(network.deviceOf('ML'))
  reader.subscribe(1, top, 7)
  const live = Array.from({ length: 16 }, () => composer.seal().envelope)
  const rq = publisher.beginPublish(...live)
  const items = await take(reader, 109)
  await publisher.result(rq)
  t.same(
    items.map((item) => item.cursor),
    Array.from({ length: 109 }, (_, i) => i + 8),
    'every place once, in order, from after the named one',
  )
})

t.test('nothing is sent beyond the credit, and an item larger than it goes alone', async (t) => {
  await using relay = await startScenario()
  const { network } = relay
  const top = network.topic('terrorism')
  const composer = new Composer(network, network.deviceOf('BF'))
  const publisher = await relay.client(composer.device)
  const large = JSON.stringify({ text: 'x'.repeat(100_000) })
  for (const body of [large, '{}', '{}', large]) {
    t.same((await publisher.publish(composer.seal({ body }).envelope)).codes, ['ok'])
  }
  const reader = await relay.client(network.deviceOf('ML'))
  reader.subscribe(1, top)
  t.match(
    (await reader.next('deliver')).items.map((i) => i.cursor),
    [1],
    'alone, although it is larger than all credit',
  )
  await reader.barrier()
  t.notOk(
    reader.inbox.some((f) => f.kind === 'deliver'),
    'then nothing more',
  )
  reader.send({ kind: 'credit', sub: 1, frames: 1, bytes: 20_000 })
  await reader.barrier()
  t.notOk(
    reader.inbox.some((f) => f.kind === 'deliver'),
    'while the credit is below zero',
  )
  reader.send({ kind: 'credit', sub: 1, frames: 1, bytes: 90_000 })
  const rest = await reader.next('deliver')
  t.same(
    rest.items.map((i) => i.cursor),
    [2, 3],
  )
  reader.send({ kind: 'credit', sub: 1, frames: 1, bytes: 65_536 })
  const last = await reader.next('deliver')
  t.same(
    last.items.map((i) => i.cursor),
    [4],
  )
})

t.test('a reader that gives no credit gets eight frames', async (t) => {
  await using relay = await startScenario()
  const { network } = relay
  const composer = new Composer(network, network.deviceOf('BF'))
  const publisher = await relay.client(composer.device)
  const reader = await relay.client(network.deviceOf('ML'))
  reader.subscribe(1, network.topic('terrorism'))
  await reader.barrier()
  for (let i = 0; i < 12; i++) {
    t.same((await publisher.publish(composer.seal().envelope)).codes, ['ok'])
    await reader.barrier()
  }
  const frames = reader.inbox.filter((f) => f.kind === 'deliver')
  t.ok(frames.length <= limits.creditFramesStart, `${frames.length} frames`)
  t.ok(frames.length > 0)
  reader.send({ kind: 'unsubscribe', sub: 1 })
  reader.send({ kind: 'credit', sub: 1, frames: 8, bytes: 65_536 })
  await reader.barrier()
  t.equal(reader.inbox.filter((f) => f.kind === 'deliver').length, frames.length)
})

t.test('gap fill by chain or core hash serves the audience and nobody else', async (t) => {
  await using relay = await startScenario()
  const { network } = relay
  const composer = new Composer(network, network.deviceOf('BF'))
  const publisher = await relay.client(composer.device)
  const to = [network.member('ML')]
  const sealed = [0, 1, 2, 3].map(() => composer.seal({ to }))
  await publisher.publish(...sealed.map((s) => s.envelope))
  const chain = chainIdOf(network.directory.net, composer.header({ to }))
  const ask = async (code: string): Promise<readonly (readonly DeliverItem[])[]> => {
    const client = await relay.client(network.deviceOf(code))
    const rq = client.newRq()
    client.send({ kind: 'fetch-chain', rq, chain, inc: 0, from: 1, to: 2, fluPaths: true })
    const byChain = await client.next('fetched', (f) => f.rq === rq)
    const cores = [sealed[3]?.core as Uint8Array, new Uint8Array(32)]
    client.send({ kind: 'fetch-core', rq: rq + 1000, cores, fluPaths: false })
    const byCore = await client.next('fetched', (f) => f.rq === rq + 1000)
    return [byChain.items, byCore.items]
  }
  for (const code of ['ML', 'FLU']) {
    const [byChain, byCore] = await ask(code)
    t.same(
      byChain?.map((i) => i.cursor),
      [2, 3],
      code,
    )
    t.same(
      byCore?.map((i) => i.cursor),
      [4],
      code,
    )
    openItem(network, network.deviceOf(code), full(byChain?.[0]))
  }
  t.same(await ask('NE'), [[], []], 'may read the topic, is not in the audience')
  t.same(await ask('FR'), [[], []])
  const outsider = await relay.client(network.deviceOf('NE'))
  outsider.subscribe(1, network.topic('terrorism'))
  t.match(await take(outsider, 1), [{ form: 'skip', cursor: 1, to: 4 }])
})

t.test('a device enrolled later is served nothing from before', async (t) => {
  await using relay = await startScenario()
  const { network } = relay
  const composer = new Composer(network, network.deviceOf('BF'))
  const publisher = await relay.client(composer.device)
  await publisher.publish(composer.seal().envelope)
  const admin = await relay.administrator(1)
  const body = network.enrolment('ml-late', network.member('ML'), { hc: 4 })
  const keys = [...Array(9).keys()].map((w) => network.epochKey('ml-late', w))
  admin.send({ kind: 'blob-put', rq: 7, blobs: keys.map((key) => ['key', key] as const) })
  await admin.next('blobs')
  const entry = network.sign('enrol', body)
  t.same((await admin.append(entry)).codes, ['ok'])
  const { index } = network.appendEntry(entry)
  const late: TestDevice = {
    num: index,
    label: 'ml-late',
    mem: network.member('ML'),
    key: seededKey(`${network.seed} device ml-late`),
    epochKeys: new Map(),
  }
  network.devices.set(index, late)
  const sealed = composer.seal()
  t.same((await publisher.publish(sealed.envelope)).codes, ['ok'])
  const client = await relay.client(late)
  client.subscribe(1, network.topic('terrorism'))
  const [skip, item] = await take(client, 2)
  t.match(skip, { form: 'skip', cursor: 1, to: 1 })
  const opened = decodeCore(network.directory.net, full(item).ctx, full(item).seal)
  t.equal(toHex(opened.ok ? opened.value.core : new Uint8Array()), toHex(sealed.core))
  openItem(network, late, full(item))
})

t.test('subscriptions that may not be are refused, each with its reason', async (t) => {
  await using relay = await startScenario()
  const { network } = relay
  const top = network.topic('terrorism')
  const client = await relay.client(network.deviceOf('NE'))
  client.subscribe(1, top)
  client.subscribe(1, top)
  t.match(await client.next('error'), { rq: 1 })
  for (const [sub, topic, from, code] of [
    [2, 9999, 0, 'topic_unknown'],
    [3, network.topic('arms'), 0, 'subscription_refused'],
    [4, top, 1, 'cursor_ahead'],
  ] as const) {
    client.subscribe(sub, topic, from)
    t.equal(await client.nextError(), code)
  }
  for (let sub = 10; sub < 73; sub++) client.subscribe(sub, top)
  await client.barrier()
  t.notOk(client.inbox.some((f) => f.kind === 'error'))
  client.subscribe(99, top)
  t.equal(await client.nextError(), 'subscription_limit')
  const admin = await relay.administrator(1)
  admin.subscribe(5, top)
  t.equal(await admin.nextError(), 'not_permitted', 'administrators receive nothing')
})
