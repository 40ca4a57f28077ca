/**
 * A small deterministic network for tests: keys from seeds, a clock that moves one second per
 * statement, every record made by properly signed entries.
 */
import {
  type AppliedEntry,
  Directory,
  type EpochMs,
  encodeEntry,
  encodeStatement,
  enrolmentNonce,
  epochMs,
  kidOf,
  networkIdOf,
  type Operation,
  type OperationName,
  type Operations,
  type SigningKey,
  type StatementDraft,
  sha256,
  signingKeyFromSeed,
  signPossession,
  signStatement,
  thresholdFor,
  utf8,
  weekMs,
} from '@liaison/protocol'

/** Rights in a topic as tests write them. */
export interface GrantSpec {
  readonly pub?: 0 | 1
  readonly read?: 0 | 1
  readonly hc?: number
}

/** A member and how many devices it gets. */
export interface MemberSpec {
  readonly code: string
  readonly kind?: Operations['member']['kind']
  /** Devices to enrol; default 1. */
  readonly devices?: number
  /** Clearance of its devices; default 4. */
  readonly hc?: number
}

/** A topic with its rights by member code. */
export interface TopicSpec {
  readonly name: string
  readonly status?: 'exercise' | 'actual'
  readonly grants: { readonly [code: string]: GrantSpec }
}

/** What a test wants differently; everything has a default. */
export interface NetworkOptions {
  readonly seed?: string
  readonly genesisT?: number
  readonly adminOrgs?: readonly string[]
  readonly members?: readonly MemberSpec[]
  readonly topics?: readonly TopicSpec[]
  /** Devices of the Fusion and Liaison Unit; default 3. */
  readonly fluDevices?: number
  readonly schemas?: readonly { readonly name: string; readonly hash: Uint8Array }[]
  /** Public key of a device for a week, 1,216 bytes; default: seeded bytes, good for hashing only. */
  readonly epochKey?: (device: string, week: number) => Uint8Array
  readonly genesis?: Partial<Operations['genesis']>
  /** Relays that the directory names; default 1. */
  readonly relays?: number
}

/** A device with everything that its owner holds. */
export interface TestDevice {
  /** Number in the directory. */
  readonly num: number
  readonly label: string
  readonly mem: number
  readonly key: SigningKey
  /** Public epoch key by week. */
  readonly epochKeys: ReadonlyMap<number, Uint8Array>
}

/** Parts of a statement that a test sets by hand. */
export type DraftOverrides = Partial<Omit<StatementDraft, 'op' | 'body'>>

/** How long devices are enrolled for: longer than any test runs. */
export const yearMs: number = 365 * 24 * 3600 * 1000

/** Default start: a Monday, long after every limit that counts backwards. */
export const defaultGenesisT: number = Date.UTC(2026, 10, 2)

const defaultMembers: readonly MemberSpec[] = [
  { code: 'BF' },
  { code: 'ML', devices: 2 },
  { code: 'NE', hc: 2 },
  { code: 'FR', kind: 'observer' },
]

const defaultTopics: readonly TopicSpec[] = [
  {
    name: 'terrorism',
    status: 'exercise',
    grants: {
      BF: { pub: 1, read: 1, hc: 4 },
      ML: { pub: 1, read: 1, hc: 3 },
      NE: { pub: 1, read: 1, hc: 4 },
      FR: { pub: 0, read: 1, hc: 1 },
      FLU: { pub: 1, read: 1, hc: 4 },
    },
  },
  { name: 'arms', status: 'exercise', grants: { BF: { pub: 1, read: 1, hc: 4 }, ML: { read: 1 } } },
]

/** `length` bytes that depend only on the text. */
export function seededBytes(text: string, length: number): Uint8Array {
  const out = new Uint8Array(length)
  for (let at = 0, i = 0; at < length; at += 32, i++) {
    out.set(sha256(utf8(`${text} ${i}`)).subarray(0, length - at), at)
  }
  return out
}

/** A signing key that depends only on the text. */
export const seededKey = (text: string): SigningKey => signingKeyFromSeed(sha256(utf8(text)))

/** A network under construction or in use. */
export class TestNetwork {
  readonly directory: Directory
  readonly seed: string
  /** Keys of administrators by number; a test adds those it brings in. */
  readonly adminKeys: Map<number, SigningKey>
  /** Enrolled devices by number. */
  readonly devices: Map<number, TestDevice> = new Map()
  readonly relayKey: SigningKey
  readonly logKeys: { readonly dir: SigningKey; readonly audit: SigningKey }
  readonly epochKey: (device: string, week: number) => Uint8Array
  #now: number
  #counter = 0

  constructor(options: NetworkOptions = {}) {
    this.seed = options.seed ?? 'liaison test network'
    this.epochKey =
      options.epochKey ?? ((device, week) => seededBytes(`${this.seed} ${device} ${week}`, 1216))
    this.relayKey = this.relayKeyOf(1)
    this.logKeys = {
      dir: seededKey(`${this.seed} log dir`),
      audit: seededKey(`${this.seed} log audit`),
    }
    const body = genesisBody(this, options)
    this.adminKeys = new Map(
      body.admins.map((admin) => [admin.num, adminKey(this.seed, admin.num)]),
    )
    this.#now = options.genesisT ?? defaultGenesisT
    const genesis = Directory.fromGenesis(signGenesis(body, this.#now, this.adminKeys))
    if (!genesis.ok) throw new Error(`genesis refused: ${genesis.error}`)
    this.directory = genesis.value
  }

  /** Key of a relay by its number. */
  relayKeyOf(num: number): SigningKey {
    return seededKey(`${this.seed} relay ${num}`)
  }

  /** The network's clock. */
  get now(): EpochMs {
    return epochMs(this.#now)
  }

  /** Moves the clock on. */
  advance(ms: number): EpochMs {
    this.#now += ms
    return this.now
  }

  /** Moves the clock on by whole key weeks. */
  advanceWeeks(weeks: number): EpochMs {
    return this.advance(weeks * weekMs)
  }

  /** All entries so far. */
  entries(): Uint8Array[] {
    return Array.from(
      { length: this.directory.size },
      (_, i) => this.directory.entry(i) as Uint8Array,
    )
  }

  /** `base` of a statement written on the directory as of `size`. */
  base(size: number = this.directory.size): readonly [number, Uint8Array] {
    const root = this.directory.rootAt(size)
    if (root === null) throw new Error(`no root at ${size}`)
    return [size, root]
  }

  /** Bytes of a statement on the present directory, one second later than the last one. */
  nextStatement<K extends OperationName>(
    op: K,
    body: Operations[K] | object,
    overrides: DraftOverrides = {},
  ): Uint8Array {
    this.#counter += 1
    return encodeStatement({
      op,
      body,
      base: this.base(),
      t: this.advance(1000),
      n: seededBytes(`${this.seed} statement ${this.#counter}`, 16),
      ...overrides,
    })
  }

  /** Puts the signatures of administrators under a statement. */
  entryOf(stmt: Uint8Array, adminNums: readonly number[]): Uint8Array {
    return encodeEntry(
      stmt,
      adminNums.map((num) => {
        const key = this.adminKeys.get(num)
        if (key === undefined) throw new Error(`no key for administrator ${num}`)
        return signStatement(this.directory.net, num, key, stmt)
      }),
    )
  }

  /** An entry with the named administrators' signatures; without names, as many as it needs. */
  sign<K extends OperationName>(
    op: K,
    body: Operations[K] | object,
    adminNums: readonly number[] = this.enough(op, body),
    overrides: DraftOverrides = {},
  ): Uint8Array {
    return this.entryOf(this.nextStatement(op, body, overrides), adminNums)
  }

  /** Administrators, one per organisation, whose signatures are enough for an operation. */
  enough(op: OperationName, body: object): number[] {
    const set = this.directory.admins()
    const { from, orgs } = thresholdFor(this.directory, { op, body } as unknown as Operation)
    const except = op === 'suspend' || op === 'revoke' ? (body as { adm?: number }).adm : undefined
    const active = [...set.admins.values()].filter(
      ({ num }) => !set.standing.has(num) && num !== except,
    )
    if (from === 'all') return active.map(({ num }) => num)
    const fold = (org: string): string => org.normalize('NFKC').trim().toLowerCase()
    const firstOfOrg = active.filter(
      ({ org }, i) => active.findIndex((other) => fold(other.org) === fold(org)) === i,
    )
    return firstOfOrg.slice(0, orgs).map(({ num }) => num)
  }

  /** Signs and appends at the network's clock. @throws Error with the code when it is refused. */
  append<K extends OperationName>(
    op: K,
    body: Operations[K] | object,
    adminNums?: readonly number[],
  ): AppliedEntry {
    return this.appendEntry(this.sign(op, body, adminNums))
  }

  /** Appends a finished entry. @throws Error with the code when it is refused. */
  appendEntry(entry: Uint8Array): AppliedEntry {
    const applied = this.directory.append(entry, this.now)
    if (!applied.ok) throw new Error(`entry refused: ${applied.error}`)
    return applied.value
  }

  /** Signs a change of key weeks with the device's own key. */
  signEpoch(
    device: TestDevice,
    body: Operations['epoch'],
    overrides: DraftOverrides = {},
  ): Uint8Array {
    const stmt = this.nextStatement('epoch', body, overrides)
    return encodeEntry(stmt, [signStatement(this.directory.net, device.num, device.key, stmt)])
  }

  /** Names of the epoch keys of a device, from one week on. */
  kids(label: string, first: number, count = 9): Uint8Array[] {
    return Array.from({ length: count }, (_, i) => kidOf(this.epochKey(label, first + i)))
  }

  /** Body of an enrolment that the device itself has agreed to. */
  enrolment(
    label: string,
    mem: number,
    changes: Partial<Operations['enrol']> = {},
  ): Operations['enrol'] {
    const key = seededKey(`${this.seed} device ${label}`)
    const week =
      changes.wk ?? Math.max(0, Math.floor((this.now - this.directory.genesisT) / weekMs))
    const kids = changes.kids ?? this.kids(label, week)
    const asked = {
      mem,
      org: changes.org ?? 'service',
      role: changes.role ?? ('officer' as const),
      ik: changes.ik ?? key.publicKey,
      n: changes.n ?? enrolmentNonce(week, kids),
    }
    return {
      ...asked,
      pop: signPossession(this.directory.net, key, asked),
      hc: 4,
      wk: week,
      kids,
      nb: this.directory.genesisT,
      na: this.directory.genesisT + yearMs,
      label,
      ...changes,
    }
  }

  /** Enrols a device and remembers its keys. */
  enrol(label: string, mem: number, changes: Partial<Operations['enrol']> = {}): TestDevice {
    const body = this.enrolment(label, mem, changes)
    const { index } = this.append('enrol', body)
    const device: TestDevice = {
      num: index,
      label,
      mem,
      key: seededKey(`${this.seed} device ${label}`),
      epochKeys: new Map(
        body.kids.map((_, i) => [body.wk + i, this.epochKey(label, body.wk + i)] as const),
      ),
    }
    this.devices.set(index, device)
    return device
  }

  /** Number of a member. */
  member(code: string): number {
    return this.#found(this.directory.memberByCode(code), code)
  }

  /** Number of a topic. */
  topic(name: string): number {
    return this.#found(this.directory.topicByName(name), name)
  }

  /** The `nth` device of a member, from 0. */
  deviceOf(code: string, nth = 0): TestDevice {
    const mem = this.member(code)
    const device = [...this.devices.values()].filter((one) => one.mem === mem)[nth]
    if (device === undefined) throw new Error(`no device ${nth} of ${code}`)
    return device
  }

  #found(view: { readonly num: number } | null, name: string): number {
    if (view === null) throw new Error(`nothing is called ${name}`)
    return view.num
  }
}

const adminKey = (seed: string, num: number): SigningKey => seededKey(`${seed} admin ${num}`)

function genesisBody(network: TestNetwork, options: NetworkOptions): Operations['genesis'] {
  const orgs = options.adminOrgs ?? ['ACSRT', 'AUC', 'FLU', 'MR', 'ML']
  return {
    name: 'test.example',
    ver: 1,
    admins: orgs.map((org, i) => ({
      num: i + 1,
      org,
      name: `${org}, administrator`,
      key: adminKey(network.seed, i + 1).publicKey,
    })),
    m: 2,
    r: 3,
    relays: Array.from({ length: options.relays ?? 1 }, (_, i) => ({
      num: i + 1,
      key: network.relayKeyOf(i + 1).publicKey,
      origin: 'ws://127.0.0.1',
    })),
    logs: { dir: network.logKeys.dir.publicKey, audit: network.logKeys.audit.publicKey },
    flu: ['FLU'],
    freshness: { maxAge: 24 * 3600 * 1000, need: { flu: 0, admin: 0, witness: 0 } },
    recallHold: 72 * 3600 * 1000,
    example: 1,
    ...options.genesis,
  }
}

/** A genesis entry signed by the named administrators, all by default. */
export function signGenesis(
  body: Operations['genesis'],
  t: number,
  keys: ReadonlyMap<number, SigningKey>,
  signers: readonly number[] = body.admins.map((admin) => admin.num),
  overrides: DraftOverrides = {},
): Uint8Array {
  const stmt = encodeStatement({
    op: 'genesis',
    body,
    base: [0, sha256()],
    t,
    n: seededBytes(`${body.name} genesis`, 16),
    ...overrides,
  })
  const net = networkIdOf(stmt)
  return encodeEntry(
    stmt,
    signers.map((num) => signStatement(net, num, keys.get(num) as SigningKey, stmt)),
  )
}

/** Body of the genesis that {@link makeNetwork} would sign, for tests that alter it. */
export function makeGenesis(options: NetworkOptions = {}): {
  readonly body: Operations['genesis']
  readonly keys: ReadonlyMap<number, SigningKey>
} {
  const network = new TestNetwork(options)
  return { body: genesisBody(network, options), keys: network.adminKeys }
}

/** Name of the schema that every topic of a test network allows unless told otherwise. */
export const testSchemaHash: Uint8Array = sha256(utf8('example schema'))

/** Builds a whole network: members, the unit with its devices, schemas, topics, rights, devices. */
export function makeNetwork(options: NetworkOptions = {}): TestNetwork {
  const network = new TestNetwork(options)
  const members = options.members ?? defaultMembers
  const flu: MemberSpec = { code: 'FLU', kind: 'organisation', devices: options.fluDevices ?? 3 }
  const all = members.some((spec) => spec.code === 'FLU') ? members : [flu, ...members]
  for (const { code, kind } of all) {
    network.append('member', { code, kind: kind ?? 'state', name: { en: code } })
  }
  const schemas = options.schemas ?? [{ name: 'spotrep', hash: testSchemaHash }]
  const sch = schemas.map(
    ({ name, hash }) => network.append('schema', { name, ver: 1, hash, state: 'active' }).index,
  )
  for (const { name, status, grants } of options.topics ?? defaultTopics) {
    addTopic(network, { name, status: status ?? 'exercise', sch }, grants)
  }
  for (const { code, devices, hc } of all) {
    for (let i = 0; i < (devices ?? 1); i++) {
      network.enrol(`${code.toLowerCase()}-${i + 1}`, network.member(code), { hc: hc ?? 4 })
    }
  }
  return network
}

function addTopic(
  network: TestNetwork,
  topic: Pick<Operations['topic'], 'name' | 'status' | 'sch'>,
  grants: TopicSpec['grants'],
): void {
  const top = network.append('topic', { ...topic, title: { en: topic.name } }).index
  for (const [code, { pub, read, hc }] of Object.entries(grants)) {
    const mem = network.member(code)
    network.append('grant', { top, mem, pub: pub ?? 0, read: read ?? 0, hc: hc ?? 4 })
  }
}
