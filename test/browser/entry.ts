/** What the tests call in a page. Bundled for browsers: an import of Node would end the build. */
import {
  type ClientStore,
  connect,
  openIndexedDbStore,
  parseNetworkFile,
} from '@liaison/client-sdk'
import { type EpochMs, epochMs, sodiumReady, toBase64url } from '@liaison/protocol'
import { EpochKeys } from '../../client-sdk/src/keys/epoch-keys.ts'
import { Vault } from '../../client-sdk/src/store/vault.ts'
import { clientStoreContract } from '../contract/client-store.ts'
import { epochPair, makeSealingNetwork } from '../support/epoch-keys.ts'
import { seededBytes, type TestDevice, type TestNetwork } from '../support/network.ts'

/** What a test says about the session it wants. */
export interface SessionOrder {
  readonly url: string
  /** Schemas of the network, as pairs of name and base64url hash. */
  readonly schemas: readonly (readonly [string, readonly number[]])[]
  readonly member: string
  /** Report to send; null sends none. */
  readonly report: object | null
  /** How many reports must be shown before the page answers. */
  readonly wanted: number
}

/** What the page saw. */
export interface SessionAnswer {
  readonly states: readonly string[]
  readonly shown: readonly string[]
}

/** Runs the contract of the store. @returns what failed, by part. */
async function storeContract(): Promise<Record<string, string>> {
  const results: Record<string, string> = {}
  let n = 0
  for (const [what, run] of Object.entries(clientStoreContract)) {
    const name = `contract-${n++}`
    try {
      await run(() => openIndexedDbStore(name))
      results[what] = 'ok'
    } catch (error) {
      results[what] = String(error)
    }
  }
  return results
}

/** Sends and receives over a real connection, with a store in IndexedDB. */
async function session(order: SessionOrder): Promise<SessionAnswer> {
  await sodiumReady()
  const schemas = order.schemas.map(([name, hash]) => ({ name, hash: Uint8Array.from(hash) }))
  const network = makeSealingNetwork({ schemas })
  const device = network.deviceOf(order.member)
  const store = await openIndexedDbStore(`device-${device.num}`)
  await provision(network, device, store)
  await using session = await connect({
    url: order.url,
    network: networkOf(network, order.url),
    identity: { kind: 'device', signingKey: device.key, storageKey: storageKey(device) },
    store,
    clock: (): EpochMs => epochMs(network.now),
  })
  const states: string[] = []
  if (order.report !== null) {
    const submission = await session.submit(order.report, { topic: 'terrorism' })
    for await (const { state } of submission) {
      states.push(state)
      if (state === 'received' || state === 'refused') break
    }
  }
  const shown: string[] = []
  if (order.wanted > 0) {
    for await (const delivery of session.subscribe({}, { from: 'all' })) {
      shown.push(delivery.kind === 'report' ? delivery.report.title : delivery.kind)
      if (shown.length === order.wanted) break
    }
  }
  return { states, shown }
}

function networkOf(network: TestNetwork, url: string): ReturnType<typeof parseNetworkFile> {
  const [genesis, ...directory] = network.entries().map(toBase64url)
  const name = network.directory.name
  return parseNetworkFile(JSON.stringify({ v: 1, name, genesis, relays: [url], directory }))
}

const storageKey = (device: TestDevice): Uint8Array => seededBytes(`browser ${device.label}`, 32)

async function provision(
  network: TestNetwork,
  device: TestDevice,
  store: ClientStore,
): Promise<void> {
  const vault = new Vault(store, storageKey(device))
  if ((await vault.list('epochs', { limit: 1 })).length > 0) return
  for (const week of device.epochKeys.keys()) {
    await vault.commit(EpochKeys.changesFor([epochPair(network.seed, device.label, week)], week))
  }
}

Object.assign(globalThis, { liaison: { storeContract, session } })
