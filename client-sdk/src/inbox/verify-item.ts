import {
  type Audience,
  type Ctx,
  type DeliverItem,
  type Directory,
  decodeCore,
  type EpochMs,
  type ErrorCode,
  epochMs,
  equal,
  err,
  ok,
  payloadMatches,
  type Result,
  type Seal,
  slotInRoot,
  verifyEnvelopeSignature,
} from '@liaison/protocol'
import { checkDirectory, checkKind, checkRight } from './check-heading.ts'

/** A delivered item with everything of it. */
export type FullItem = Extract<DeliverItem, { form: 'full' }>

/** An envelope whose header, signature, payload, audience and slot were verified. */
export interface VerifiedItem {
  readonly ctx: Ctx
  readonly seal: Seal
  readonly core: Uint8Array
  readonly audience: Audience
  /** Member of the sender's device. */
  readonly member: number
  /** Epoch key that the audience names for this device. */
  readonly kid: Uint8Array
  /** Index of a suspension of the sender that is in force by now, or null. */
  readonly suspendedAt: number | null
}

/** Ways in which verification fails; `core` is there once the envelope has a name. */
export interface VerifyFailure {
  readonly code: ErrorCode
  readonly core: Uint8Array | null
  readonly ctx: Ctx | null
}

/**
 * Verifies a delivered envelope in the order of docs/protocol.md, section "Opening". Everything is
 * judged at the directory that the sender named; the present one only adds what happened since.
 */
export function verifyItem(
  directory: Directory,
  self: number,
  topic: number,
  item: FullItem,
): Result<VerifiedItem, VerifyFailure> {
  const decoded = decodeCore(directory.net, item.ctx, item.seal)
  if (!decoded.ok) return err({ code: decoded.error, core: null, ctx: null })
  const { ctx, seal, core } = decoded.value
  const fail = (code: ErrorCode): Result<never, VerifyFailure> => err({ code, core, ctx })
  if (ctx.v !== 1) return fail('version_unknown')
  const form = checkKind(ctx)
  if (form !== null) return fail(form)
  if (ctx.top !== topic) return fail('header_mismatch')
  const base = checkDirectory(directory, ctx)
  if (base !== null) return fail(base)
  const t = epochMs(ctx.t)
  const [size] = ctx.dir
  const sender = directory.device(ctx.from, size)
  if (sender === null) return fail('device_unknown')
  if (!directory.deviceActive(ctx.from, t, size)) return fail('device_inactive')
  if (!verifyEnvelopeSignature(directory.net, sender.identityKey, item)) {
    return fail('signature_invalid')
  }
  if (!payloadMatches(seal, item.payload)) return fail('payload_mismatch')
  const refused = checkRight(directory, ctx)
  if (refused !== null) return fail(refused)
  const audience = audienceOf(directory, ctx, t)
  if (!audience.ok) return fail(audience.error)
  const own = audience.value.recipients[item.idx]
  if (own === undefined || own.dev !== self) return fail('not_addressed')
  const slot = slotInRoot(seal, audience.value.recipients.length, item.idx, item.slot, item.path)
  if (!slot.ok) return fail('slots_mismatch')
  return ok({
    ctx,
    seal,
    core,
    audience: audience.value,
    member: sender.mem,
    kid: own.kid,
    suspendedAt: directory.suspendedAt(ctx.from),
  })
}

function audienceOf(directory: Directory, ctx: Ctx, t: EpochMs): Result<Audience, ErrorCode> {
  const [mode, n, hash] = ctx.aud ?? [2, 0, new Uint8Array()]
  if (mode !== 0 && mode !== 1) return err('audience_invalid')
  const query = {
    topic: ctx.top,
    hc: ctx.hc,
    mode,
    t,
    ...(ctx.to === undefined ? {} : { to: ctx.to }),
  } as const
  const audience = directory.audience(query, ctx.dir[0])
  if (!audience.ok) return audience
  const same = audience.value.recipients.length === n && equal(audience.value.hash, hash)
  return same ? audience : err('audience_invalid')
}
