import {
  type Administrator,
  type Cosigner,
  type ErrorCode,
  err,
  type Freshness,
  isEnrollableKey,
  type LogKeys,
  limits,
  type Operations,
  ok,
  type RelayIdentity,
  type Result,
  toBase64url,
  toHex,
} from '@liaison/protocol'
import { JsonFields, parseJson } from '../identity/json-fields.ts'

/** What the founding administrators agree on before they sign; keys as bytes. */
export interface GenesisPlan {
  readonly name: string
  readonly administrators: readonly Administrator[]
  /** Signatures from so many organisations for everyday changes, and for changes at the root. */
  readonly m: number
  readonly r: number
  readonly relays: readonly RelayIdentity[]
  readonly logs: LogKeys
  /** Codes of the members whose devices receive everything. */
  readonly flu: readonly string[]
  readonly freshness: Freshness
  /** How long a recalled report is only hidden, ms. */
  readonly recallHold: number
  readonly cosigners: readonly Cosigner[]
  readonly example: boolean
}

/** One thing that is wrong with a plan. */
export interface PlanProblem {
  readonly code: ErrorCode
  /** JSON pointer. */
  readonly field: string
}

const planFields = [
  'name',
  'administrators',
  'm',
  'r',
  'relays',
  'logs',
  'flu',
  'freshness',
  'recallHold',
  'cosigners',
  'example',
]

/** How long a recalled report is only hidden unless a plan says otherwise: 72 hours. */
const recallHoldDefault = 72 * 3600 * 1000

/**
 * Reads a genesis plan (JSON, keys in base64url) and lists everything that is wrong with it at once:
 * `config_invalid` for form, `key_unfit`, `subject_exists` for a key or number that occurs twice,
 * `quorum_unsafe` for thresholds that do not fit, `not_permitted` for no recall hold outside
 * examples.
 */
export function parseGenesisPlan(text: string): Result<GenesisPlan, readonly PlanProblem[]> {
  const problems: PlanProblem[] = []
  const note = (field: string, code: ErrorCode = 'config_invalid'): void => {
    problems.push({ code, field })
  }
  const value = parseJson(text, note)
  if (problems.length > 0) return err(problems)
  const plan = readPlan(new JsonFields(value, '', planFields, note), note)
  judgePlan(plan, note)
  return problems.length === 0 ? ok(plan) : err(problems)
}

type Note = (field: string, code?: ErrorCode) => void

function readPlan(fields: JsonFields, note: Note): GenesisPlan {
  const count = { min: 1, max: limits.administratorsMax }
  const logs = fields.object('logs', ['dir', 'audit'])
  return {
    name: fields.text('name', { min: 3, max: 64, pattern: /^[a-z0-9][a-z0-9.-]*$/ }),
    administrators: fields.list(
      'administrators',
      (item, at) => {
        const admin = new JsonFields(item, at, ['num', 'org', 'name', 'key'], note)
        return {
          num: admin.uint('num', { min: 1, max: 65_535 }),
          org: admin.text('org', { max: 32 }),
          name: admin.text('name', { max: 128 }),
          key: admin.bytes('key', 32),
        }
      },
      count,
    ),
    m: fields.uint('m', count),
    r: fields.uint('r', count),
    relays: fields.list(
      'relays',
      (item, at) => {
        const relay = new JsonFields(item, at, ['num', 'origin', 'key'], note)
        return {
          num: relay.uint('num', { min: 1, max: 65_535 }),
          key: relay.bytes('key', 32),
          origin: relay.text('origin', { max: 200 }),
        }
      },
      { min: 1, max: 64 },
    ),
    logs: { dir: logs.bytes('dir', 32), audit: logs.bytes('audit', 32) },
    flu: fields.texts('flu', { min: 2, max: 16, pattern: /^[A-Z][A-Z0-9]*$/ }, { min: 1, max: 16 }),
    freshness: readFreshness(fields),
    recallHold: fields.has('recallHold') ? fields.uint('recallHold') : recallHoldDefault,
    cosigners: fields.has('cosigners') ? readCosigners(fields, note) : [],
    example: fields.has('example') ? fields.flag('example') : false,
  }
}

function readFreshness(fields: JsonFields): Freshness {
  const freshness = fields.object('freshness', ['maxAge', 'need'])
  const need = freshness.object('need', ['flu', 'admin', 'witness'])
  const bounds = { max: 16 }
  return {
    maxAge: freshness.uint('maxAge', { min: 60_000 }),
    need: {
      flu: need.uint('flu', bounds),
      admin: need.uint('admin', bounds),
      witness: need.uint('witness', bounds),
    },
  }
}

const readCosigners = (fields: JsonFields, note: Note): Cosigner[] =>
  fields.list(
    'cosigners',
    (item, at) => {
      const cosigner = new JsonFields(item, at, ['name', 'key', 'kind'], note)
      return {
        name: cosigner.text('name', { max: 128 }),
        key: cosigner.bytes('key', 32),
        kind: cosigner.word('kind', ['flu', 'admin', 'witness']),
      }
    },
    { max: 64 },
  )

/** Rules between fields. The directory has them too; here every breach is named by its field. */
function judgePlan(plan: GenesisPlan, note: Note): void {
  const { administrators, relays, logs, m, r } = plan
  judgeKeys(
    [
      ...administrators.map((a, i) => [`/administrators/${i}/key`, a.key] as const),
      ...relays.map((relay, i) => [`/relays/${i}/key`, relay.key] as const),
      ['/logs/dir', logs.dir],
      ['/logs/audit', logs.audit],
    ],
    note,
  )
  judgeDistinct(
    administrators.map((a) => a.num),
    (i) => `/administrators/${i}/num`,
    note,
  )
  judgeDistinct(
    relays.map((relay) => relay.num),
    (i) => `/relays/${i}/num`,
    note,
  )
  judgeDistinct(plan.flu, (i) => `/flu/${i}`, note)
  judgeDistinct(
    plan.cosigners.map((c) => c.name),
    (i) => `/cosigners/${i}/name`,
    note,
  )
  judgeKeys(
    plan.cosigners.map((c, i) => [`/cosigners/${i}/key`, c.key] as const),
    note,
  )
  const fold = (org: string): string => org.normalize('NFKC').trim().toLowerCase()
  const organisations = new Set(administrators.map((a) => fold(a.org))).size
  if (m > r) note('/m', 'quorum_unsafe')
  // One organisation must be able to fall out without stopping the network.
  if (r >= organisations) note('/r', 'quorum_unsafe')
  if (plan.recallHold === 0 && !plan.example) note('/recallHold', 'not_permitted')
  for (const kind of ['flu', 'admin', 'witness'] as const) {
    const there = plan.cosigners.filter((cosigner) => cosigner.kind === kind).length
    if (there < plan.freshness.need[kind]) note(`/freshness/need/${kind}`, 'quorum_unsafe')
  }
}

function judgeKeys(keys: readonly (readonly [string, Uint8Array])[], note: Note): void {
  const seen = new Set<string>()
  for (const [field, key] of keys) {
    // All zero: it was unreadable and is reported already.
    if (key.every((byte) => byte === 0)) continue
    if (!isEnrollableKey(key)) note(field, 'key_unfit')
    if (seen.has(toHex(key))) note(field, 'subject_exists')
    seen.add(toHex(key))
  }
}

function judgeDistinct(
  values: readonly (string | number)[],
  field: (i: number) => string,
  note: Note,
): void {
  for (const [i, value] of values.entries()) {
    // Empty values were reported when they were read.
    if (value !== '' && value !== 0 && values.indexOf(value) !== i) note(field(i), 'subject_exists')
  }
}

/** The body of the genesis that a plan describes. */
export const genesisBodyOf = (plan: GenesisPlan): Operations['genesis'] => ({
  name: plan.name,
  ver: 1,
  admins: plan.administrators,
  m: plan.m,
  r: plan.r,
  relays: plan.relays,
  logs: plan.logs,
  flu: plan.flu,
  freshness: plan.freshness,
  recallHold: plan.recallHold,
  ...(plan.example ? { example: 1 as const } : {}),
  ...(plan.cosigners.length === 0 ? {} : { cosigners: plan.cosigners }),
})

/** Writes a plan as the JSON that {@link parseGenesisPlan} reads. */
export const formatGenesisPlan = (plan: GenesisPlan): string =>
  `${JSON.stringify({ ...plan, ...withText(plan) }, null, 2)}\n`

const withText = ({ administrators, relays, logs, cosigners }: GenesisPlan): object => ({
  administrators: administrators.map((admin) => ({ ...admin, key: toBase64url(admin.key) })),
  relays: relays.map((relay) => ({ ...relay, key: toBase64url(relay.key) })),
  logs: { dir: toBase64url(logs.dir), audit: toBase64url(logs.audit) },
  cosigners: cosigners.map((cosigner) => ({ ...cosigner, key: toBase64url(cosigner.key) })),
})
