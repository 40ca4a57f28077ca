import { compareBytes, concat } from './bytes.ts'
import { sha256 } from './crypto/hash.ts'

const leafPrefix = new Uint8Array([0])
const nodePrefix = new Uint8Array([1])

/** RFC 6962, section 2.1: hash of one leaf. */
export const leafHash = (leaf: Uint8Array): Uint8Array => sha256(leafPrefix, leaf)

/** RFC 6962, section 2.1: hash of an inner node. */
export const nodeHash = (left: Uint8Array, right: Uint8Array): Uint8Array =>
  sha256(nodePrefix, left, right)

/** Root of the empty tree: SHA-256 of nothing. */
export const emptyRoot = (): Uint8Array => sha256()

/** Largest power of two below n. @param n at least 2 */
function split(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

/** Root over leaf hashes. */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  return leaves.length === 0 ? emptyRoot() : subRoot(leaves, 0, leaves.length)
}

function subRoot(leaves: readonly Uint8Array[], from: number, to: number): Uint8Array {
  if (to - from === 1) return leaves[from] as Uint8Array
  const mid = from + split(to - from)
  return nodeHash(subRoot(leaves, from, mid), subRoot(leaves, mid, to))
}

/** Inclusion path of leaf `index`, siblings from the leaf upwards (RFC 6962, section 2.1.1). */
export function inclusionPath(leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  const path: Uint8Array[] = []
  let from = 0
  let to = leaves.length
  const stack: Uint8Array[] = []
  while (to - from > 1) {
    const mid = from + split(to - from)
    if (index < mid) {
      stack.push(subRoot(leaves, mid, to))
      to = mid
    } else {
      stack.push(subRoot(leaves, from, mid))
      from = mid
    }
  }
  while (stack.length > 0) path.push(stack.pop() as Uint8Array)
  return path
}

/**
 * Inclusion paths of all leaves, as {@link inclusionPath} gives them one by one, with every inner node
 * hashed once.
 */
export function inclusionPaths(leaves: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] {
  const paths: Uint8Array[][] = leaves.map(() => [])
  const walk = (from: number, to: number): Uint8Array => {
    if (to - from === 1) return leaves[from] as Uint8Array
    const mid = from + split(to - from)
    const left = walk(from, mid)
    const right = walk(mid, to)
    for (let i = from; i < mid; i++) paths[i]?.push(right)
    for (let i = mid; i < to; i++) paths[i]?.push(left)
    return nodeHash(left, right)
  }
  if (leaves.length > 0) walk(0, leaves.length)
  return paths
}

/** Root that a leaf hash and its path lead to, or null when the path has the wrong length (RFC 9162, 2.1.3.2). */
export function rootFromInclusion(
  index: number,
  size: number,
  leaf: Uint8Array,
  path: readonly Uint8Array[],
): Uint8Array | null {
  if (index < 0 || index >= size) return null
  let fn = index
  let sn = size - 1
  let hash = leaf
  for (const sibling of path) {
    if (sn === 0) return null
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(sibling, hash)
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2)
        sn = Math.floor(sn / 2)
      }
    } else {
      hash = nodeHash(hash, sibling)
    }
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  return sn === 0 ? hash : null
}

/** Consistency proof between the first `oldSize` leaves and all (RFC 6962, section 2.1.2). */
export function consistencyProof(leaves: readonly Uint8Array[], oldSize: number): Uint8Array[] {
  if (oldSize <= 0 || oldSize >= leaves.length) return []
  return subProof(leaves, oldSize, 0, leaves.length, true)
}

function subProof(
  leaves: readonly Uint8Array[],
  m: number,
  from: number,
  to: number,
  whole: boolean,
): Uint8Array[] {
  const n = to - from
  if (m === n) return whole ? [] : [subRoot(leaves, from, to)]
  const k = split(n)
  return m <= k
    ? [...subProof(leaves, m, from, from + k, whole), subRoot(leaves, from + k, to)]
    : [...subProof(leaves, m - k, from + k, to, false), subRoot(leaves, from, from + k)]
}

/** Whether `proof` shows that the tree of `oldRoot` is a prefix of the tree of `newRoot` (RFC 9162, 2.1.4.2). */
export function verifyConsistency(
  oldSize: number,
  newSize: number,
  oldRoot: Uint8Array,
  newRoot: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (oldSize > newSize) return false
  if (oldSize === newSize) return proof.length === 0 && compareBytes(oldRoot, newRoot) === 0
  if (oldSize === 0) return proof.length === 0
  const nodes = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : [...proof]
  let fn = oldSize - 1
  let sn = newSize - 1
  while (fn % 2 === 1) {
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  const first = nodes.shift()
  if (first === undefined) return false
  let fr = first
  let sr = first
  for (const node of nodes) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      fr = nodeHash(node, fr)
      sr = nodeHash(node, sr)
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2)
        sn = Math.floor(sn / 2)
      }
    } else {
      sr = nodeHash(sr, node)
    }
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  return sn === 0 && compareBytes(fr, oldRoot) === 0 && compareBytes(sr, newRoot) === 0
}

const isPowerOfTwo = (n: number): boolean => Math.log2(n) % 1 === 0

/** A tree that only grows: O(log n) per append, and the root of every earlier size on request. */
export class GrowingTree {
  #leaves: Uint8Array[] = []
  /** Roots of the complete subtrees of the current size, largest first. */
  #peaks: { size: number; hash: Uint8Array }[] = []
  #roots: Uint8Array[] = [emptyRoot()]

  get size(): number {
    return this.#leaves.length
  }

  /** Root at the present size. */
  get root(): Uint8Array {
    return this.#roots[this.#roots.length - 1] as Uint8Array
  }

  /** Root at an earlier size, or null when that size was not reached yet. */
  rootAt(size: number): Uint8Array | null {
    return this.#roots[size] ?? null
  }

  /** Adds one leaf (its bytes, not its hash). */
  append(leaf: Uint8Array): void {
    const hash = leafHash(leaf)
    this.#leaves.push(hash)
    this.#peaks.push({ size: 1, hash })
    for (;;) {
      const last = this.#peaks[this.#peaks.length - 1]
      const before = this.#peaks[this.#peaks.length - 2]
      if (last === undefined || before === undefined || last.size !== before.size) break
      this.#peaks.splice(-2, 2, { size: last.size * 2, hash: nodeHash(before.hash, last.hash) })
    }
    this.#roots.push(
      this.#peaks.map((peak) => peak.hash).reduceRight((right, left) => nodeHash(left, right)),
    )
  }

  /** Proof that the tree at `oldSize` is a prefix of the present one. */
  consistencyProof(oldSize: number): Uint8Array[] {
    return consistencyProof(this.#leaves, oldSize)
  }

  /** Inclusion path of one leaf in the present tree. */
  inclusionPath(index: number): Uint8Array[] {
    return inclusionPath(this.#leaves, index)
  }
}

/** Splits a byte string into 32-byte hashes, or null when its length does not fit. */
export function hashesOf(path: Uint8Array): Uint8Array[] | null {
  if (path.length % 32 !== 0) return null
  return Array.from({ length: path.length / 32 }, (_, i) => path.slice(32 * i, 32 * i + 32))
}

/** Joins hashes into the byte string that travels. */
export const joinHashes = (hashes: readonly Uint8Array[]): Uint8Array => concat(...hashes)
