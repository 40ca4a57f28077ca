import type { EpochMs, ErrorCode } from '@liaison/protocol'
import { toHex } from '@liaison/protocol'
import type { Test } from 'tap'
import type { TestNetwork } from './network.ts'

/** Asserts that an entry is refused with one code and that nothing changes through the attempt. */
export function refused(
  t: Test,
  network: TestNetwork,
  entry: Uint8Array,
  code: ErrorCode,
  now: EpochMs | null = network.now,
): void {
  const { directory } = network
  const before = toHex(directory.root)
  t.match(directory.check(entry, now), { ok: false, error: code }, `check answers ${code}`)
  t.match(directory.append(entry, now), { ok: false, error: code }, `append answers ${code}`)
  t.equal(toHex(directory.root), before, 'and the directory is the same as before')
}
