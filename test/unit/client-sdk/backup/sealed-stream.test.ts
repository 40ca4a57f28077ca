import { epochMs, sodiumReady, toHex, utf8 } from '@liaison/protocol'
import t from 'tap'
import { readSealedFile, sealStream } from '../../../../client-sdk/src/backup/sealed-stream.ts'
import { rejectsWithCode } from '../../../support/rejects-with-code.ts'

await sodiumReady()

const passphrase = 'four words of length'
const least = { mem: 67_108_864, ops: 3 }
const info = { kind: 'device-backup', created: epochMs(1_795_000_000_000), about: { network: 'n' } }
const chunks = [utf8('first'), new Uint8Array(20_000).fill(7), new Uint8Array()]

async function* from<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

async function gather(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const out: Uint8Array[] = []
  for await (const part of parts) out.push(part)
  return out
}

const parts = await gather(sealStream(info, passphrase, from(chunks), least))
const whole = new Uint8Array(Buffer.concat(parts))
const headEnd = parts[0]?.length ?? 0

const open = async (bytes: Uint8Array, word = passphrase): Promise<Uint8Array[]> => {
  // In pieces that have nothing to do with the parts.
  const pieces = Array.from({ length: Math.ceil(bytes.length / 7919) }, (_, i) =>
    bytes.subarray(i * 7919, (i + 1) * 7919),
  )
  return gather((await readSealedFile(from(pieces), info.kind)).open(word))
}

t.test('what was sealed is opened, and says openly what it is', async (t) => {
  t.same((await open(whole)).map(toHex), chunks.map(toHex))
  const file = await readSealedFile(from([whole]), info.kind)
  t.same(file.info, info)
  const again = new Uint8Array(
    Buffer.concat(await gather(sealStream(info, passphrase, from(chunks), least))),
  )
  const tail = (bytes: Uint8Array): string => toHex(bytes.subarray(-17))
  t.not(tail(again), tail(whole), 'never the same twice')
})

t.test('whatever is cut off, added or altered is found', async (t) => {
  const cut = (n: number): Uint8Array => whole.subarray(0, n)
  const flipped = (at: number): Uint8Array => {
    const bytes = whole.slice()
    bytes[at] = (bytes[at] ?? 0) ^ 1
    return bytes
  }
  const lastLength = parts.at(-1)?.length ?? 0
  const text = new TextDecoder().decode(parts[0])
  const swapped = [parts[0], parts[2], parts[1], ...parts.slice(3)] as Uint8Array[]
  const spoilt: readonly (readonly [string, Uint8Array])[] = [
    ['nothing', new Uint8Array()],
    ['half a head', cut(headEnd - 3)],
    ['a head alone', cut(headEnd)],
    ['without the last part', cut(whole.length - lastLength)],
    ['without its last byte', cut(whole.length - 1)],
    ['a byte more', new Uint8Array([...whole, 0])],
    ['a part less', new Uint8Array(Buffer.concat([...parts.slice(0, 2), ...parts.slice(3)]))],
    ['two parts exchanged', new Uint8Array(Buffer.concat(swapped))],
    ['a length', flipped(headEnd)],
    ['a byte of a part', flipped(headEnd + 20)],
    ['a byte of the end', flipped(whole.length - 1)],
    ['the time in the head', utf8(text.replace('1795000000000', '1795000000001'))],
    ['a fact in the head', flipped(text.indexOf('"n"') + 1)],
    ['another kind', utf8(text.replace('device-backup', 'relay-keys'))],
  ]
  for (const [name, bytes] of spoilt) {
    const full = name.includes('head') && bytes.length === headEnd && name !== 'a head alone'
    const given = full ? new Uint8Array(Buffer.concat([bytes, whole.subarray(headEnd)])) : bytes
    await rejectsWithCode(t, open(given), 'backup_damaged', name)
  }
})

t.test('passphrases and work factors', async (t) => {
  await rejectsWithCode(t, open(whole, 'four words of lenght'), 'passphrase_wrong')
  await rejectsWithCode(t, gather(sealStream(info, 'short', from(chunks), least)), 'key_file_weak')
  const text = new TextDecoder().decode(parts[0])
  const weaker = utf8(text.replace('"mem":67108864', '"mem":8192'))
  const costly = utf8(text.replace('"mem":67108864', '"mem":99999999999'))
  await rejectsWithCode(t, open(weaker), 'key_file_weak')
  await rejectsWithCode(t, open(costly), 'key_file_costly')
})
