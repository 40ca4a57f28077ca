import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Network, parseNetworkFile } from '@liaison/client-sdk'
import {
  type AdminSession,
  bootstrapStatements,
  connectAsAdministrator,
  draftEnrol,
  draftGenesis,
  finishGenesis,
  makeEnrolmentRequest,
  type StatementFile,
  signStatementFile,
} from '@liaison/client-sdk/admin'
import { nodeWebSocket } from '@liaison/client-sdk/node'
import { epochMs, type NetworkId, systemClock, toBase64url } from '@liaison/protocol'
import { networkIdOfGenesis } from '@liaison/server'
import { EpochKeys } from '../../client-sdk/src/keys/epoch-keys.ts'
import { openLmdbStore } from '../../client-sdk/src/store/lmdb-store.ts'
import { Vault } from '../../client-sdk/src/store/vault.ts'
import {
  type ExampleDevice,
  type ExampleNetwork,
  exampleNetwork,
} from '../../keys-example/example-network.ts'
import { type DemoStore, embeddedStore } from './store.ts'

/** How long the enrolments of the demonstration last, ms. */
const enrolmentMs = 365 * 24 * 3600 * 1000

/** Files of the demonstration, in one folder. */
export interface StageFiles {
  readonly folder: string
  readonly network: string
  readonly keys: string
  /** The embedded store; of another one what is gathered from it. */
  readonly data: string
  readonly log: string
}

/** A founded network that has no member yet. */
export interface Stage {
  readonly example: ExampleNetwork
  readonly files: StageFiles
  /** Name of the network. */
  readonly net: NetworkId
  readonly store: DemoStore
  /** Text of the network file for this relay address. */
  networkText(url: string): string
}

/** Signs the genesis with all founding administrators and writes what a relay needs. */
export async function foundNetwork(folder: string, redis: DemoStore | null): Promise<Stage> {
  const example = await exampleNetwork()
  let file = draftGenesis(example.plan, epochMs(systemClock()))
  for (const [num, { signingKey }] of example.administrators) {
    file = signStatementFile(file, null, num, signingKey)
  }
  const entry = finishGenesis(file)
  const genesis = toBase64url(entry)
  const files: StageFiles = {
    folder,
    network: join(folder, 'network.json'),
    keys: join(folder, 'relay-keys.json'),
    data: join(folder, 'relay-data'),
    log: join(folder, 'relay.log'),
  }
  await mkdir(files.data, { recursive: true })
  const networkText = (url: string): string =>
    JSON.stringify({ v: 1, name: example.plan.name, genesis, relays: [url] })
  await writeFile(files.network, networkText('ws://127.0.0.1:1/relay'))
  await writeFile(files.keys, example.relayKeys, { mode: 0o600 })
  const net = networkIdOfGenesis(entry)
  const store = redis ?? embeddedStore(files.data)
  await store.prepare(net)
  return { example, files, net, store, networkText }
}

/** Administrators of the example, two of them with a connection. */
export class Administration {
  readonly session: AdminSession
  readonly #example: ExampleNetwork

  private constructor(session: AdminSession, example: ExampleNetwork) {
    this.session = session
    this.#example = example
  }

  static async connect(
    example: ExampleNetwork,
    network: Network,
    url: string,
  ): Promise<Administration> {
    const identity = example.administrators.get(1)
    if (identity === undefined) throw new Error('administrator 1 is missing')
    const session = await connectAsAdministrator({
      url,
      network,
      identity,
      admin: 1,
      webSocket: nodeWebSocket,
    })
    return new Administration(session, example)
  }

  /** Signs with the given administrators and appends. @returns the index of the entry. */
  async append(file: StatementFile, signers: readonly number[]): Promise<number> {
    let signed = file
    for (const num of signers) {
      const identity = this.#example.administrators.get(num)
      if (identity === undefined) throw new Error(`administrator ${num} is missing`)
      signed = signStatementFile(signed, this.session.directory, num, identity.signingKey)
    }
    return (await this.session.append(signed)).index
  }

  /** Members, schemas, topics and grants of the description. */
  async bootstrap(): Promise<number> {
    let count = 0
    for (;;) {
      const drafts = bootstrapStatements(
        this.session.directory,
        this.#example.description,
        epochMs(systemClock()),
      )
      if (drafts.length === 0) return count
      for (const draft of drafts) await this.append(draft, [1, 2])
      count += drafts.length
    }
  }

  /** Enrols a device as in life: it makes the request, administrators sign it. @returns its number. */
  async enrol(device: ExampleDevice, storeFolder: string): Promise<number> {
    const { directory } = this.session
    const member = directory.memberByCode(device.member)
    if (member === null) throw new Error(`no member ${device.member}`)
    const identity = this.#example.identityOf(device)
    const now = epochMs(systemClock())
    const { request, pairs, first } = makeEnrolmentRequest({
      net: directory.net,
      genesisT: directory.genesisT,
      identity,
      member: member.num,
      memberCode: member.code,
      org: device.member,
      role: device.role,
      label: device.label,
      now,
    })
    const store = new Vault(await openLmdbStore(storeFolder), identity.storageKey)
    await store.commit(EpochKeys.changesFor(pairs, first))
    await store[Symbol.asyncDispose]()
    const draft = draftEnrol(directory, request, {
      clearance: device.clearance,
      validFrom: epochMs(now - 60_000),
      validUntil: epochMs(now + enrolmentMs),
      now,
    })
    // The unit's own devices need the root threshold: three organisations.
    return this.append(draft, member.flu ? [1, 2, 3] : [1, 2])
  }
}

/** Reads the network file of a stage. */
export const networkOf = (stage: Stage, url: string): Network =>
  parseNetworkFile(stage.networkText(url))
