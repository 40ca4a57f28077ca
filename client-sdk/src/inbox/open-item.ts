import {
  type Ctx,
  type Directory,
  type ErrorCode,
  envelopeKinds,
  err,
  ok,
  type Result,
  toHex,
  utf8,
} from '@liaison/protocol'
import { encodeCbor } from '@liaison/protocol/internal'
import { type Report, type SchemaEntry, schemaByHash } from '@liaison/schemas'
import { openEnvelope } from '@liaison/seal'
import type { EpochKeys } from '../keys/epoch-keys.ts'
import { loadValidators } from '../validators.ts'
import { checkMeta, type LooseMeta } from './check-meta.ts'
import type { FullItem, VerifiedItem } from './verify-item.ts'

/** An opened and validated body. */
export interface OpenedItem {
  readonly body: Uint8Array
  readonly parsed: unknown
  /** Null when the directory allows the schema but this release does not know it. */
  readonly schema: SchemaEntry | null
  /** `meta.id` of a report, or null for a control message. */
  readonly reportId: string | null
}

/** Why an item stays closed. */
export interface OpenFailure {
  readonly code: ErrorCode
  /** Message key, when the envelope opened but its content breaks a rule: evidence for the FLU. */
  readonly messageKey: Uint8Array | null
  /** Which rule: JSON pointer and problem code, without any value. */
  readonly detail: string
}

/** A rule that a content breaks. */
export interface ContentFault {
  readonly code: ErrorCode
  readonly detail: string
  /** Whether the message key proves it to everybody; not so of a schema that this release lacks. */
  readonly proves: boolean
}

/** Opens a verified item and checks its content against the schema that its header names. */
export async function openItem(
  directory: Directory,
  epochs: EpochKeys,
  item: FullItem,
  verified: VerifiedItem,
): Promise<Result<OpenedItem & { readonly messageKey: Uint8Array }, OpenFailure>> {
  const secret = await epochs.secretFor(verified.kid)
  const closed = (code: ErrorCode): Result<never, OpenFailure> =>
    err({ code, messageKey: null, detail: '' })
  if (secret.kind === 'destroyed') return closed('key_destroyed')
  if (secret.kind === 'unknown') return closed('slot_unopenable')
  const opened = openEnvelope({
    net: directory.net,
    ctx: item.ctx,
    seal: verified.seal,
    payload: item.payload,
    idx: item.idx,
    slot: item.slot,
    kid: verified.kid,
    secretKey: secret.secretKey,
  })
  if (!opened.ok) return closed(opened.error)
  const { body, messageKey } = opened.value
  const checked = await checkContent(directory, verified, body)
  if (checked.ok) return ok({ ...checked.value, messageKey })
  const { code, detail, proves } = checked.error
  return err({ code, detail, messageKey: proves ? messageKey : null })
}

/** What the content must be, given the header it was sealed under. */
export async function checkContent(
  directory: Directory,
  { ctx, member }: Pick<VerifiedItem, 'ctx' | 'member'>,
  body: Uint8Array,
): Promise<Result<OpenedItem, ContentFault>> {
  const fault = (code: ErrorCode, detail: string): Result<never, ContentFault> =>
    err({ code, detail, proves: true })
  const { parseBody, validateAs } = await loadValidators()
  const parsed = parseBody(body)
  if (!parsed.ok) return fault('content_invalid', parsed.problems[0]?.code ?? '')
  const schema = schemaByHash(toHex(ctx.sch))
  if (schema === null) return unknownSchema(directory, ctx, member, body, parsed.value)
  const valid = validateAs(schema.name, parsed.value)
  if (!valid.ok) {
    const [first] = valid.problems
    return fault('content_invalid', `${first?.pointer ?? ''} ${first?.code ?? ''}`)
  }
  if (schema.kind === 'control') {
    return ok({ body, parsed: parsed.value, schema, reportId: null })
  }
  const { meta } = parsed.value as Report
  const refused = checkMeta(directory, ctx, member, meta)
  if (refused !== null) return fault(refused, '/meta')
  return ok({ body, parsed: parsed.value, schema, reportId: meta.id })
}

/**
 * Allowed by the directory, not known to this release: kept, and shown by its common fields. Those
 * that have a counterpart in the header must agree with it, like those of a known schema.
 */
function unknownSchema(
  directory: Directory,
  ctx: Ctx,
  member: number,
  body: Uint8Array,
  parsed: unknown,
): Result<OpenedItem, ContentFault> {
  const fault = (code: ErrorCode, detail: string): Result<never, ContentFault> =>
    err({ code, detail, proves: false })
  const allowed = directory.schemaByHash(ctx.sch, ctx.dir[0])
  if (ctx.k !== envelopeKinds.report || allowed === null) return fault('schema_refused', '')
  const meta = (parsed as { readonly meta?: LooseMeta } | null)?.meta
  const refused = checkMeta(directory, ctx, member, meta ?? {})
  if (refused !== null) return fault(refused, '/meta')
  const id = meta?.id
  return ok({ body, parsed, schema: null, reportId: typeof id === 'string' ? id : null })
}

/** Name under which a report of a member is remembered. */
export const reportKey = (member: number, reportId: string): string =>
  `${member.toString(16).padStart(8, '0')}/${toHex(utf8(reportId))}`

/** What is remembered about a report: the envelope and its content's hash. */
export const reportMark = (core: Uint8Array, bodyHash: Uint8Array): Uint8Array =>
  encodeCbor([core, bodyHash])
