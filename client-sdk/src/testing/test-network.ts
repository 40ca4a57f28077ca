import {
  Directory,
  type EpochMs,
  type Names,
  RelayError,
  randomBytes,
  type SigningKey,
  signingKeyFromSeed,
  sodiumReady,
  toBase64url,
} from '@liaison/protocol'
import { type ReportName, schemaByName, schemaHash } from '@liaison/schemas'
import {
  draftEnrol,
  draftGrant,
  draftMember,
  draftSchema,
  draftSuspend,
  draftTopic,
} from '../admin/drafts.ts'
import { draftGenesis, finishGenesis } from '../admin/genesis.ts'
import { parseGenesisPlan } from '../admin/genesis-plan.ts'
import { statementProgress } from '../admin/review.ts'
import { entryOf, type StatementFile, signStatementFile } from '../admin/statement-file.ts'
import { TransientStore } from '../admin/transient-store.ts'
import { type ConnectOptions, connect } from '../connect.ts'
import { makeEnrolmentRequest } from '../identity/enrolment.ts'
import type { Identity } from '../identity/identity.ts'
import { keepEnrolment } from '../identity/keep-enrolment.ts'
import { newIdentity } from '../identity/key-file.ts'
import { formatNetworkFile, parseNetworkFile } from '../identity/network-file.ts'
import type { Session } from '../session.ts'
import type { ClientStore } from '../store/client-store.ts'
import { type ManualClock, manualClock } from './manual-clock.ts'
import { MemoryRelay } from './memory-relay.ts'

/** What a test network consists of. */
export interface TestNetworkOptions {
  /** Codes of the members beside the FLU; each has one device and may do everything in every topic. */
  readonly members: readonly string[]
  /** Names of the topics, all of them for exercises. */
  readonly topics: readonly string[]
  /** Report types that are allowed in every topic. */
  readonly schemas: readonly ReportName[]
}

interface Enrolled {
  readonly num: number
  readonly identity: Identity
  readonly store: ClientStore
}

const url = 'ws://127.0.0.1/relay'
const dayMs = 86_400_000
const organisations = ['ALPHA', 'BRAVO', 'CHARLIE'] as const

/**
 * A whole network within the process of a test: a founded and signed directory, enrolled devices with
 * keys, and a relay in memory. Sealing, signatures, rules of the directory and acknowledgements are the
 * real ones; there are no sockets and no disk, and time stands still until the test moves it.
 */
export class TestNetwork {
  readonly clock: ManualClock
  readonly relay: MemoryRelay
  /** The relay's directory. */
  readonly directory: Directory
  readonly #admins: readonly SigningKey[]
  readonly #devices: ReadonlyMap<string, Enrolled>

  private constructor(parts: {
    readonly clock: ManualClock
    readonly relay: MemoryRelay
    readonly directory: Directory
    readonly admins: readonly SigningKey[]
    readonly devices: ReadonlyMap<string, Enrolled>
  }) {
    this.clock = parts.clock
    this.relay = parts.relay
    this.directory = parts.directory
    this.#admins = parts.admins
    this.#devices = parts.devices
  }

  /** Founds a network and enrols one device for the FLU (`FLU`) and for each member. */
  static async start(options: TestNetworkOptions): Promise<TestNetwork> {
    await sodiumReady()
    const clock = manualClock()
    const newKey = (): SigningKey => signingKeyFromSeed(randomBytes(32))
    const admins = organisations.map(newKey)
    const keys = { relay: newKey(), dirLog: newKey(), auditLog: newKey() }
    const directory = found(admins, keys, clock())
    const relay = new MemoryRelay({ directory, keys, clock })
    const add = (file: StatementFile): number => append(directory, admins, file, clock())
    const names = (en: string): Names => ({ en })
    const members = new Map(
      ['FLU', ...options.members].map((code) => {
        const kind = code === 'FLU' ? 'organisation' : 'state'
        return [code, add(draftMember(directory, { code, kind, name: names(code) }, clock()))]
      }),
    )
    const sch = options.schemas.map((name) => {
      const { version: ver } = schemaByName(name)
      const body = { name, ver, hash: schemaHash(name), state: 'active' } as const
      return add(draftSchema(directory, body, clock()))
    })
    for (const name of options.topics) {
      const topic = { name, title: names(name), status: 'exercise', sch } as const
      const top = add(draftTopic(directory, topic, clock()))
      for (const mem of members.values()) {
        add(draftGrant(directory, { top, mem, pub: 1, read: 1, hc: 4 }, clock()))
      }
    }
    const devices = new Map<string, Enrolled>()
    for (const [memberCode, member] of members) {
      const identity = newIdentity('device')
      const store = new TransientStore()
      const { net, genesisT } = directory
      const now = clock()
      const who = { member, memberCode, org: 'Test', role: 'officer' } as const
      const enrolment = makeEnrolmentRequest({ net, genesisT, identity, ...who, now })
      await keepEnrolment(store, identity, enrolment)
      const decision = { clearance: 4, validFrom: now, validUntil: now + 365 * dayMs, now }
      const file = draftEnrol(directory, enrolment.request, decision)
      relay.putKeys(enrolment.pairs.map((pair) => pair.publicKey))
      devices.set(memberCode, { num: add(file), identity, store })
    }
    return new TestNetwork({ clock, relay, directory, admins, devices })
  }

  /**
   * Connects the device of a member. Its store lasts as long as the network, so connecting again after
   * `close` is what a restart of the program is.
   *
   * @throws RelayError `subject_unknown` for a member that the network does not have.
   */
  connect(member: string, options: Partial<ConnectOptions> = {}): Promise<Session> {
    const { identity, store, num } = this.#device(member)
    const network = parseNetworkFile(formatNetworkFile(this.directory, [url], num))
    return connect({
      network,
      identity,
      store: kept(store),
      webSocket: this.relay.open,
      clock: this.clock,
      ...options,
    })
  }

  /** Suspends the device of a member, as its administrators would. */
  suspend(member: string): void {
    const from = this.directory.size
    const target = { dev: this.#device(member).num, why: 'test' }
    const file = draftSuspend(this.directory, target, this.clock())
    append(this.directory, this.#admins, file, this.clock())
    this.relay.announce(from)
  }

  #device(member: string): Enrolled {
    const found = this.#devices.get(member)
    if (found === undefined) throw new RelayError('subject_unknown', { field: member })
    return found
  }
}

/** The same store, which closing a session does not end. */
const kept = (store: ClientStore): ClientStore => ({
  get: (table, key) => store.get(table, key),
  list: (table, query) => store.list(table, query),
  commit: (changes) => store.commit(changes),
  [Symbol.asyncDispose]: () => Promise.resolve(),
})

function found(
  admins: readonly SigningKey[],
  keys: { readonly relay: SigningKey; readonly dirLog: SigningKey; readonly auditLog: SigningKey },
  now: EpochMs,
): Directory {
  const text = (key: SigningKey): string => toBase64url(key.publicKey)
  const plan = parseGenesisPlan(
    JSON.stringify({
      name: 'test.example',
      administrators: admins.map((key, i) => ({
        num: i + 1,
        org: organisations[i],
        name: `Administrator ${i + 1}`,
        key: text(key),
      })),
      m: 2,
      r: 2,
      relays: [{ num: 1, origin: '127.0.0.1', key: text(keys.relay) }],
      logs: { dir: text(keys.dirLog), audit: text(keys.auditLog) },
      flu: ['FLU'],
      freshness: { maxAge: dayMs, need: { flu: 0, admin: 0, witness: 0 } },
      recallHold: 3 * dayMs,
      example: true,
    }),
  )
  if (!plan.ok) throw new Error(JSON.stringify(plan.error))
  const signed = admins.reduce(
    (file, key, i) => signStatementFile(file, null, i + 1, key),
    draftGenesis(plan.value, now),
  )
  const founded = Directory.fromGenesis(finishGenesis(signed))
  if (!founded.ok) throw new RelayError(founded.error)
  return founded.value
}

/** Signs by one administrator after the other until it is enough, and appends. @returns the index. */
function append(
  directory: Directory,
  admins: readonly SigningKey[],
  file: StatementFile,
  now: EpochMs,
): number {
  let signed = file
  for (const [i, key] of admins.entries()) {
    if (statementProgress(signed, directory).complete) break
    signed = signStatementFile(signed, directory, i + 1, key)
  }
  const applied = directory.append(entryOf(signed), now)
  if (!applied.ok) throw new RelayError(applied.error)
  return applied.value.index
}
