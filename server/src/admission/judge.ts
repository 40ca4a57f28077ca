import {
  type Audience,
  audienceModes,
  type Ctx,
  type Directory,
  type EpochMs,
  type ErrorCode,
  envelopeKinds,
  epochMs,
  equal,
  err,
  joinHashes,
  limits,
  ok,
  payloadMatches,
  type Result,
  slotLeaves,
  slotsMatch,
  slotsOf,
} from '@liaison/protocol'
import { controlSchemaHashes } from './control-schemas.ts'
import type { Identified } from './identify.ts'

/**
 * Judges the header of an envelope against the directory, cheap checks first. Pure: the same input
 * always gives the same answer. Order and codes: docs/protocol.md, section "Admission". The signature
 * follows, under the key in the answer, then {@link judgeContent}.
 */
export function judgeHeader(
  directory: Directory,
  item: Identified,
  now: EpochMs,
): Result<{ readonly identityKey: Uint8Array }, ErrorCode> {
  const { ctx, envelope } = item
  const refused =
    checkKind(ctx) ??
    checkRights(directory, ctx, now) ??
    checkTime(ctx, now) ??
    checkBase(directory, ctx)
  if (refused !== null) return err(refused)
  const audience = checkAudience(directory, ctx)
  if (!audience.ok) return audience

  if (envelope.slots.length !== audience.value.recipients.length * limits.slotBytes) {
    return err('slots_malformed')
  }
  if (envelope.payload.length > limits.payloadBytesMax) return err('payload_too_large')
  const sender = directory.device(ctx.from)
  return sender === null ? err('device_unknown') : ok({ identityKey: sender.identityKey })
}

/** Judges payload and slots against what the signed header says of them. @returns leaf hashes of the slots, joined */
export function judgeContent({ seal, envelope }: Identified): Result<Uint8Array, ErrorCode> {
  if (!payloadMatches(seal, envelope.payload)) return err('payload_mismatch')
  const leaves = slotLeaves(slotsOf(envelope.slots) ?? [])
  return slotsMatch(seal, leaves) ? ok(joinHashes(leaves)) : err('slots_mismatch')
}

/** Kinds that this release carries, and the form of each. */
function checkKind(ctx: Ctx): ErrorCode | null {
  if (ctx.v !== 1) return 'version_unsupported'
  switch (ctx.k) {
    case envelopeKinds.report:
      return ctx.ref === undefined && ctx.kr === undefined ? null : 'frame_malformed'
    case envelopeKinds.violation:
      // A notice goes to the FLU alone and names the envelope that it is about.
      return ctx.ref !== undefined && ctx.aud?.[0] === audienceModes.members && ctx.to?.length === 0
        ? null
        : 'frame_malformed'
    default:
      return 'kind_unsupported'
  }
}

function checkRights(directory: Directory, ctx: Ctx, now: EpochMs): ErrorCode | null {
  if (directory.device(ctx.from) === null) return 'device_unknown'
  if (!directory.deviceActive(ctx.from, now)) return 'device_inactive'
  const topic = directory.topic(ctx.top)
  if (topic === null) return 'topic_unknown'
  if (ctx.k === envelopeKinds.violation) {
    if (!directory.mayRead(ctx.from, ctx.top)) return 'publish_refused'
    return equal(ctx.sch, controlSchemaHashes.violation) ? null : 'schema_refused'
  }
  const right = directory.mayPublish(ctx.from, ctx.top, ctx.hc)
  if (right !== 'ok') return right
  if (equal(ctx.sch, controlSchemaHashes.feedback)) return null
  const schema = directory.schemaByHash(ctx.sch)
  const allowed = schema !== null && schema.state === 'active' && topic.schemas.includes(schema.num)
  return allowed ? null : 'schema_refused'
}

function checkTime(ctx: Ctx, now: EpochMs): ErrorCode | null {
  if (ctx.t > now + limits.clockAheadMsMax) return 'clock_skew'
  if (ctx.t < now - limits.envelopeAgeMsMax) return 'too_old'
  return ctx.x !== undefined && ctx.x <= now ? 'expired' : null
}

function checkBase(directory: Directory, ctx: Ctx): ErrorCode | null {
  const [size, root] = ctx.dir
  const known = directory.rootAt(size)
  return known !== null && size > 0 && equal(known, root) ? null : 'directory_unknown'
}

/**
 * The audience must be the one that the directory gave at the size the sender names, and still be
 * the one of today: otherwise a report could go to a device that was cut off in between.
 */
function checkAudience(directory: Directory, ctx: Ctx): Result<Audience, ErrorCode> {
  const aud = ctx.aud
  const mode = aud?.[0]
  if (aud === undefined || (mode !== audienceModes.wholeTopic && mode !== audienceModes.members)) {
    return err('audience_invalid')
  }
  if ((mode === audienceModes.members) !== (ctx.to !== undefined)) return err('audience_invalid')
  const query = {
    topic: ctx.top,
    hc: ctx.hc,
    mode,
    t: epochMs(ctx.t),
    ...(ctx.to === undefined ? {} : { to: ctx.to }),
  } as const
  const named = directory.audience(query, ctx.dir[0])
  if (!named.ok) return named
  const [, n, hash] = aud
  if (n !== named.value.recipients.length || !equal(hash, named.value.hash)) {
    return err('audience_invalid')
  }
  if (ctx.dir[0] === directory.size) return named
  const present = directory.audience(query)
  if (!present.ok) return present
  return equal(present.value.hash, hash) ? named : err('audience_stale')
}
