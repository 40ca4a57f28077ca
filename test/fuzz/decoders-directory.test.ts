import {
  Directory,
  decodeEntry,
  decodeStatement,
  describeStatement,
  missingSignatures,
  openEntry,
  sodiumReady,
  toHex,
} from '@liaison/protocol'
import fc from 'fast-check'
import t from 'tap'
import { encodeCbor } from '../../protocol/src/cbor.ts'
import { makeNetwork } from '../support/network.ts'

await sodiumReady()

const network = makeNetwork()
const { directory } = network
const samples = network.entries()

/** Feeds bytes to everything that takes an entry or a statement from a peer. */
function decodeAll(bytes: Uint8Array): void {
  decodeEntry(bytes)
  decodeStatement(bytes)
  openEntry(bytes)
  describeStatement(bytes, directory.net)
  missingSignatures(directory, bytes, [[1, new Uint8Array(64)]])
  missingSignatures(null, bytes, [])
  Directory.fromGenesis(bytes)
  directory.check(bytes, null)
  directory.check(bytes, network.now)
}

const numRuns = 400

t.test('random bytes are refused without an exception', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      decodeAll(bytes)
      return !directory.check(bytes, null).ok
    }),
    { numRuns },
  )
  t.pass(`${numRuns} inputs`)
})

t.test('altered entries are refused without an exception and change nothing', async (t) => {
  const root = toHex(directory.root)
  const altered = fc.record({
    index: fc.nat(samples.length - 1),
    at: fc.nat(),
    flip: fc.integer({ min: 1, max: 255 }),
    cut: fc.option(fc.nat(), { nil: undefined, freq: 4 }),
  })
  fc.assert(
    fc.property(altered, ({ index, at, flip, cut }) => {
      const entry = (samples[index] as Uint8Array).slice()
      const place = at % entry.length
      entry[place] = (entry[place] as number) ^ flip
      const bytes = cut === undefined ? entry : entry.slice(0, cut % entry.length)
      decodeAll(bytes)
      return !directory.append(bytes, network.now).ok
    }),
    { numRuns },
  )
  t.equal(toHex(directory.root), root)
})

t.test('random values in the right frame are refused without an exception', async (t) => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      fc.nat(),
      fc.string({ maxLength: 20 }),
      fc.uint8Array({ maxLength: 40 }),
      fc.array(tie('any'), { maxLength: 4 }),
      fc.dictionary(
        fc.constantFrom('dev', 'mem', 'adm', 'why', 'kids', 'wk', 'num', 'code', 'admins', 'flu'),
        tie('any'),
        { maxKeys: 4, noNullPrototype: true },
      ),
    ),
  })).any
  const operation = fc.constantFrom(
    'genesis',
    'quorum',
    'member',
    'topic',
    'schema',
    'grant',
    'policy',
    'enrol',
    'epoch',
    'suspend',
    'revoke',
    'resume',
    'constructor',
    '__proto__',
  )
  fc.assert(
    fc.property(operation, value, fc.nat(3), (op, body, signer) => {
      const stmt = encodeCbor({
        v: 1,
        base: [...network.base()],
        n: new Uint8Array(16),
        t: network.now,
        exp: network.now,
        op,
        body: body as never,
      })
      const entry = encodeCbor([stmt, [[signer, new Uint8Array(64)]]])
      decodeAll(stmt)
      decodeAll(entry)
      return !directory.check(entry, network.now).ok
    }),
    { numRuns },
  )
  t.pass(`${numRuns} inputs`)
})
