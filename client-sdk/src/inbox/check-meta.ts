import { type Ctx, type Directory, type ErrorCode, handlingCodes } from '@liaison/protocol'

/** What of `meta` the header repeats; of any form when the schema is not known. */
export interface LooseMeta {
  readonly id?: unknown
  readonly handling?: { readonly tlp?: unknown } | null
  readonly originator?: unknown
  readonly status?: unknown
}

/** The inside must agree with the outside: handling, originator, exercise or actual. */
export function checkMeta(
  directory: Directory,
  ctx: Pick<Ctx, 'hc' | 'top'>,
  member: number,
  meta: LooseMeta,
): ErrorCode | null {
  if (handlingCodes[ctx.hc] !== meta.handling?.tlp) return 'handling_mismatch'
  if (directory.member(member)?.code !== meta.originator) return 'header_mismatch'
  const topic = directory.topic(ctx.top)
  const exercise = topic?.status === 'exercise'
  return exercise === (meta.status !== 'actual') ? null : 'exercise_mismatch'
}
