import { type Ctx, type Directory, equal, fromHex, isRelayError, toHex } from '@liaison/protocol'
import type { ControlBody } from '@liaison/schemas'
import { openWithKey } from '@liaison/seal'
import type { Link } from '../session/link.ts'
import { isLinkTrouble } from './ack-queue.ts'
import type { NoticeProof } from './inbox-row.ts'
import { checkContent } from './open-item.ts'
import type { SlotChecker } from './slot-checker.ts'
import { type FullItem, type VerifiedItem, verifyItem } from './verify-item.ts'

type Violation = Extract<ControlBody, { readonly type: 'violation' }>

/** What a judge of notices needs. */
export interface NoticeJudgeDeps {
  readonly directory: Directory
  /** This device, of the FLU. */
  readonly device: number
  readonly slots: SlotChecker
}

/**
 * Repeats what a notice of a violation says was found. The message key that it holds must be the one
 * that the accused envelope commits to, and must show the fault; otherwise a receiver could accuse
 * whom it likes.
 *
 * @param notice Header of the notice.
 * @param body Its body, valid against the schema `violation`.
 * @returns `unchecked` when the envelope, or a key that is needed, cannot be had from the relay, or
 * its type is not known to this release.
 * @throws RelayError when the link ends meanwhile.
 */
export async function judgeNotice(
  deps: NoticeJudgeDeps,
  notice: Ctx,
  body: unknown,
  link: Link,
): Promise<NoticeProof> {
  const { coreHash, fk, reason } = body as Violation
  const { ref } = notice
  const messageKey = fromHex(fk)
  if (ref === undefined || coreHash !== toHex(ref) || messageKey === null) return 'not-proved'
  try {
    const accused = await fetchAccused(deps, notice.top, ref, link)
    if (accused === null) return 'unchecked'
    return await judge(deps, accused, { reason, messageKey }, link)
  } catch (error) {
    if (isLinkTrouble(error) || !isRelayError(error)) throw error
    return 'unchecked'
  }
}

interface Accused {
  readonly item: FullItem
  readonly verified: VerifiedItem
}

/** The envelope that a notice names, verified like any other; null when the relay does not give it. */
async function fetchAccused(
  { directory, device }: NoticeJudgeDeps,
  topic: number,
  core: Uint8Array,
  link: Link,
): Promise<Accused | null> {
  const query = { kind: 'fetch-core', cores: [core], fluPaths: false } as const
  const [item] = (await link.request(query, 'fetched')).items
  if (item?.form !== 'full') return null
  const verified = verifyItem(directory, device, topic, item)
  if (!verified.ok || !equal(verified.value.core, core)) return null
  return { item, verified: verified.value }
}

async function judge(
  { directory, slots }: NoticeJudgeDeps,
  { item, verified }: Accused,
  { reason, messageKey }: { readonly reason: Violation['reason']; readonly messageKey: Uint8Array },
  link: Link,
): Promise<NoticeProof> {
  const { seal } = verified
  const opened = openWithKey(directory.net, item.ctx, seal, item.payload, messageKey)
  if (!opened.ok && opened.error === 'commitment_mismatch') return 'not-proved'
  if (reason === 'slots') {
    const fault = await slots.checkAll(item, verified, messageKey, link)
    return fault === null ? 'not-proved' : 'proved'
  }
  // The committed key does not open the signed payload: nobody can read it.
  if (!opened.ok) return 'proved'
  const checked = await checkContent(directory, verified, opened.value.body)
  if (checked.ok) return checked.value.schema === null ? 'unchecked' : 'not-proved'
  return checked.error.proves ? 'proved' : 'unchecked'
}
