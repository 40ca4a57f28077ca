import { readFile } from 'node:fs/promises'
import {
  consistencyProof,
  emptyRoot,
  fromHex,
  GrowingTree,
  hashesOf,
  inclusionPath,
  inclusionPaths,
  joinHashes,
  leafHash,
  merkleRoot,
  rootFromInclusion,
  sha256,
  toHex,
  utf8,
  verifyConsistency,
} from '@liaison/protocol'
import t from 'tap'

interface Vectors {
  readonly leaves: readonly string[]
  readonly emptyRoot: string
  readonly roots: readonly string[]
}

const vectors = JSON.parse(
  await readFile(new URL('merkle.json', import.meta.url), 'utf8'),
) as Vectors

const sizeMax = 64
const data = Array.from({ length: sizeMax }, (_, i) => utf8(`leaf ${i}`))
const leaves = data.map(leafHash)

/** RFC 9162, section 2.1.1, word for word. */
function oracleRoot(d: readonly Uint8Array[]): Uint8Array {
  if (d.length === 0) return sha256()
  if (d.length === 1) return sha256(new Uint8Array([0]), d[0] as Uint8Array)
  const k = largestPowerBelow(d.length)
  return sha256(new Uint8Array([1]), oracleRoot(d.slice(0, k)), oracleRoot(d.slice(k)))
}

/** RFC 9162, section 2.1.3.1. */
function oraclePath(m: number, d: readonly Uint8Array[]): Uint8Array[] {
  if (d.length === 1) return []
  const k = largestPowerBelow(d.length)
  return m < k
    ? [...oraclePath(m, d.slice(0, k)), oracleRoot(d.slice(k))]
    : [...oraclePath(m - k, d.slice(k)), oracleRoot(d.slice(0, k))]
}

/** RFC 9162, section 2.1.4.1. */
function oracleProof(m: number, d: readonly Uint8Array[], whole: boolean): Uint8Array[] {
  if (m === d.length) return whole ? [] : [oracleRoot(d)]
  const k = largestPowerBelow(d.length)
  return m <= k
    ? [...oracleProof(m, d.slice(0, k), whole), oracleRoot(d.slice(k))]
    : [...oracleProof(m - k, d.slice(k), false), oracleRoot(d.slice(0, k))]
}

const largestPowerBelow = (n: number): number => 2 ** (31 - Math.clz32(n - 1))

const hexes = (hashes: readonly Uint8Array[]): string[] => hashes.map(toHex)

/** Every way in which a proof is spoilt: one bit in each hash, one hash less, more, or moved. */
function* spoilt(proof: readonly Uint8Array[]): Iterable<Uint8Array[]> {
  for (const [i, hash] of proof.entries()) {
    const flipped = hash.slice()
    flipped[i % 32] = (flipped[i % 32] as number) ^ 0x80
    yield [...proof.slice(0, i), flipped, ...proof.slice(i + 1)]
    yield [...proof.slice(0, i), ...proof.slice(i + 1)]
  }
  yield [...proof, sha256(utf8('extra'))]
  if (proof.length > 1) yield [...proof].reverse()
}

t.test('known roots of the eight reference leaves', async (t) => {
  const reference = vectors.leaves.map((hex) => fromHex(hex) as Uint8Array)
  const tree = new GrowingTree()
  t.equal(toHex(emptyRoot()), vectors.emptyRoot)
  t.equal(toHex(tree.root), vectors.emptyRoot)
  for (const [i, leaf] of reference.entries()) {
    tree.append(leaf)
    t.equal(toHex(tree.root), vectors.roots[i], `size ${i + 1}, growing`)
    const hashes = reference.slice(0, i + 1).map(leafHash)
    t.equal(toHex(merkleRoot(hashes)), vectors.roots[i], `size ${i + 1}, at once`)
  }
  t.equal(tree.size, 8)
})

t.test('roots equal the definition for every size to 64', async (t) => {
  const tree = new GrowingTree()
  for (let size = 0; size <= sizeMax; size++) {
    const expected = toHex(oracleRoot(data.slice(0, size)))
    t.equal(toHex(merkleRoot(leaves.slice(0, size))), expected)
    t.equal(toHex(tree.root), expected)
    if (size < sizeMax) tree.append(data[size] as Uint8Array)
  }
  t.equal(toHex(tree.rootAt(17) as Uint8Array), toHex(oracleRoot(data.slice(0, 17))))
  t.equal(tree.rootAt(sizeMax + 1), null)
})

t.test('inclusion: every leaf of every size to 64 is proven, spoilt proofs are not', async (t) => {
  let refusals = 0
  for (let size = 1; size <= sizeMax; size++) {
    const root = toHex(oracleRoot(data.slice(0, size)))
    const proves = (index: number, leaf: Uint8Array, path: readonly Uint8Array[]): boolean => {
      const found = rootFromInclusion(index, size, leaf, path)
      return found !== null && toHex(found) === root
    }
    for (let index = 0; index < size; index++) {
      const leaf = leaves[index] as Uint8Array
      const path = inclusionPath(leaves.slice(0, size), index)
      if (hexes(path).join() !== hexes(oraclePath(index, data.slice(0, size))).join()) {
        t.fail(`path of ${index} in ${size}`)
      }
      if (!proves(index, leaf, path)) t.fail(`${index} in ${size} is not proven`)
      for (const bad of spoilt(path)) {
        if (proves(index, leaf, bad)) t.fail(`${index} in ${size}: a spoilt path passes`)
        refusals += 1
      }
      if (proves(index, sha256(utf8('other')), path)) t.fail('another leaf passes')
      if (size > 1 && proves((index + 1) % size, leaf, path)) t.fail('another index passes')
    }
    if (rootFromInclusion(size, size, leaves[0] as Uint8Array, []) !== null) t.fail('past the end')
    if (rootFromInclusion(-1, size, leaves[0] as Uint8Array, []) !== null)
      t.fail('before the start')
  }
  t.ok(refusals > 10_000, `${refusals} spoilt paths were refused`)
})

t.test('consistency: every pair of sizes to 64 is proven, spoilt proofs are not', async (t) => {
  let refusals = 0
  const roots = Array.from({ length: sizeMax + 1 }, (_, size) => oracleRoot(data.slice(0, size)))
  const root = (size: number): Uint8Array => roots[size] as Uint8Array
  const other = sha256(utf8('other'))
  for (let size = 1; size <= sizeMax; size++) {
    for (let old = 1; old <= size; old++) {
      const proof = consistencyProof(leaves.slice(0, size), old)
      const expected = old === size ? [] : oracleProof(old, data.slice(0, size), true)
      if (hexes(proof).join() !== hexes(expected).join()) t.fail(`proof of ${old} in ${size}`)
      if (!verifyConsistency(old, size, root(old), root(size), proof)) {
        t.fail(`${old} in ${size} is not proven`)
      }
      for (const bad of spoilt(proof)) {
        if (verifyConsistency(old, size, root(old), root(size), bad)) {
          t.fail(`${old} in ${size}: a spoilt proof passes`)
        }
        refusals += 1
      }
      if (verifyConsistency(old, size, other, root(size), proof)) t.fail('another old root passes')
      if (verifyConsistency(old, size, root(old), other, proof)) t.fail('another new root passes')
    }
  }
  t.equal(verifyConsistency(5, 4, root(5), root(4), []), false, 'a log does not shrink')
  t.equal(verifyConsistency(0, 4, emptyRoot(), root(4), []), true, 'everything follows nothing')
  t.equal(verifyConsistency(0, 4, emptyRoot(), root(4), [other]), false)
  t.ok(refusals > 10_000, `${refusals} spoilt proofs were refused`)
})

t.test('hashes travel as one byte string', async (t) => {
  const path = inclusionPath(leaves, 9)
  t.same(hexes(hashesOf(joinHashes(path)) ?? []), hexes(path))
  t.equal(hashesOf(new Uint8Array(33)), null)
})

t.test('all paths at once are the paths one by one, for every size up to 70', async (t) => {
  const leaves = Array.from({ length: 70 }, (_, i) => leafHash(Uint8Array.of(i)))
  const wrong: number[] = []
  for (let size = 0; size <= leaves.length; size++) {
    const some = leaves.slice(0, size)
    const one = some.map((_, i) => inclusionPath(some, i).map(toHex))
    const all = inclusionPaths(some).map((path) => path.map(toHex))
    if (JSON.stringify(one) !== JSON.stringify(all)) wrong.push(size)
  }
  t.same(wrong, [])
})
