import {
  audienceModes,
  type Ctx,
  type Directory,
  type ErrorCode,
  envelopeKinds,
  equal,
  limits,
} from '@liaison/protocol'
import { schemaHash } from '@liaison/schemas'

/** Kinds that this release opens, and the form of each: a notice goes to the FLU alone. */
export function checkKind(ctx: Ctx): ErrorCode | null {
  switch (ctx.k) {
    case envelopeKinds.report:
      return ctx.ref === undefined && ctx.kr === undefined ? null : 'frame_malformed'
    case envelopeKinds.violation:
      return ctx.ref !== undefined && ctx.aud?.[0] === audienceModes.members && ctx.to?.length === 0
        ? null
        : 'frame_malformed'
    default:
      return 'kind_unsupported'
  }
}

/**
 * The directory that an envelope names must be a state of this one, and must not have been replaced
 * longer than the network's own bound before the envelope was sealed (docs/adr/0008).
 */
export function checkDirectory(directory: Directory, { dir, t }: Ctx): ErrorCode | null {
  const [size, root] = dir
  const known = directory.rootAt(size)
  if (known === null) return 'directory_unknown'
  if (!equal(known, root)) return 'directory_fork'
  const replacedBy = directory.replacedBy(size)
  if (replacedBy === null) return null
  const { maxAge } = directory.policy(size).freshness
  return t - replacedBy > maxAge + limits.clockAheadMsMax ? 'directory_stale' : null
}

/** Right and schema at the directory of the sender. The relay checks them too; nobody takes its word. */
export function checkRight(directory: Directory, ctx: Ctx): ErrorCode | null {
  const [size] = ctx.dir
  if (ctx.k === envelopeKinds.violation) {
    if (!directory.mayRead(ctx.from, ctx.top, size)) return 'publish_refused'
    return equal(ctx.sch, schemaHash('violation')) ? null : 'schema_refused'
  }
  const right = directory.mayPublish(ctx.from, ctx.top, ctx.hc, size)
  if (right !== 'ok') return right
  if (equal(ctx.sch, schemaHash('feedback'))) return null
  const schema = directory.schemaByHash(ctx.sch, size)
  const listed = directory.topic(ctx.top, size)?.schemas ?? []
  const allowed = schema?.state === 'active' && listed.includes(schema.num)
  return allowed ? null : 'schema_refused'
}
