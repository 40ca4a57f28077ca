import { equal, fromBase64url, limits, sodiumReady, toBase64url } from '@liaison/protocol'
import t from 'tap'
import type { Identity } from '../../../../client-sdk/src/identity/identity.ts'
import {
  encryptKeyFile,
  newIdentity,
  openKeyFile,
  readKeyFileInfo,
} from '../../../../client-sdk/src/identity/key-file.ts'
import { rejectsWithCode } from '../../../support/rejects-with-code.ts'

await sodiumReady()

const passphrase = 'drei Kamele trinken'
const floor = { mem: limits.keyFileMemBytesMin, ops: limits.keyFileOpsMin }
const strict = { allowUnprotected: false }
const example = { allowUnprotected: true }

type Json = Record<string, unknown> & { kdf: Record<string, unknown> }
const edited = (text: string, edit: (file: Json) => void): string => {
  const file = JSON.parse(text) as Json
  edit(file)
  return JSON.stringify(file)
}

const withField = (text: string, name: string, value: unknown): string =>
  edited(text, (file) => {
    ;(file as Record<string, unknown>)[name] = value
  })

const withKdf = (text: string, name: string, value: unknown): string =>
  edited(text, (file) => {
    file.kdf[name] = value
  })

/** Changes one bit of a base64url text and keeps it well formed. */
const flipped = (text: string, at = 3): string => {
  const bytes = fromBase64url(text) ?? new Uint8Array()
  bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ 4
  return toBase64url(bytes)
}

const same = (a: Identity, b: Identity): boolean =>
  a.kind === b.kind &&
  equal(a.signingKey.secretKey, b.signingKey.secretKey) &&
  equal(a.signingKey.publicKey, b.signingKey.publicKey) &&
  equal(a.storageKey, b.storageKey)

const identity = newIdentity('device')
const protectedFile = await encryptKeyFile(identity, passphrase, floor)
const openFile = await encryptKeyFile(identity, null)

t.test('a key file gives back the identity', async (t) => {
  t.ok(same(await openKeyFile(protectedFile, passphrase, strict), identity))
  t.ok(
    same(await openKeyFile(openFile, null, example), identity),
    'without passphrase in an example network',
  )
  const admin = newIdentity('administrator')
  t.ok(same(await openKeyFile(await encryptKeyFile(admin, null), null, example), admin))
})

t.test('what it says openly', async (t) => {
  const info = readKeyFileInfo(protectedFile)
  t.equal(info.kind, 'device')
  t.equal(info.protected, true)
  t.ok(equal(info.publicKey, identity.signingKey.publicKey))
  t.equal(readKeyFileInfo(openFile).protected, false)
  t.notMatch(protectedFile, toBase64url(identity.signingKey.secretKey.subarray(0, 32)))
  t.notMatch(protectedFile, toBase64url(identity.storageKey))
})

t.test('carriage returns and a byte order mark are tolerated', async (t) => {
  const mailed = `\uFEFF${openFile.replaceAll('\n', '\r\n')}`
  t.ok(same(await openKeyFile(mailed, null, example), identity))
})

t.test('a passphrase typed with other code points for the same letters opens', async (t) => {
  const composed = 'clé très sûre à Niamey'
  const text = await encryptKeyFile(identity, composed.normalize('NFD'), floor)
  t.ok(same(await openKeyFile(text, composed.normalize('NFC'), strict), identity))
})

t.test('a wrong or missing passphrase', async (t) => {
  await rejectsWithCode(t, openKeyFile(protectedFile, `${passphrase}.`, strict), 'passphrase_wrong')
  await rejectsWithCode(t, openKeyFile(protectedFile, null, strict), 'passphrase_wrong')
})

t.test('a short passphrase is refused when the file is made', async (t) => {
  const error = await rejectsWithCode(
    t,
    encryptKeyFile(identity, 'elevenchars', floor),
    'key_file_weak',
  )
  t.equal(error?.field, '/passphrase')
  // Eleven letters, although more code units and more bytes.
  await rejectsWithCode(t, encryptKeyFile(identity, '😀'.repeat(11), floor), 'key_file_weak')
})

t.test('an unprotected file is refused outside example networks', async (t) => {
  const error = await rejectsWithCode(t, openKeyFile(openFile, null, strict), 'key_file_weak')
  t.equal(error?.field, '/kdf/alg')
  const downgraded = edited(protectedFile, (file) => {
    file.kdf = { alg: 'none' }
  })
  await rejectsWithCode(t, openKeyFile(downgraded, null, example), 'passphrase_wrong')
})

t.test('attack 35: work factors are judged before any work is done', async (t) => {
  const cases = [
    ['mem', limits.keyFileMemBytesMin - 1, 'key_file_weak'],
    ['mem', 0, 'key_file_weak'],
    ['mem', -1, 'key_file_weak'],
    ['mem', limits.keyFileMemBytesMax + 1, 'key_file_costly'],
    ['mem', Number.MAX_SAFE_INTEGER, 'key_file_costly'],
    ['mem', limits.keyFileMemBytesMin + 0.5, 'key_file_malformed'],
    ['mem', '268435456', 'key_file_malformed'],
    ['mem', null, 'key_file_malformed'],
    ['ops', limits.keyFileOpsMin - 1, 'key_file_weak'],
    ['ops', limits.keyFileOpsMax + 1, 'key_file_costly'],
    ['ops', 3.5, 'key_file_malformed'],
  ] as const
  const began = performance.now()
  for (const [name, value, code] of cases) {
    const text = edited(protectedFile, (file) => {
      file.kdf[name] = value
    })
    await rejectsWithCode(t, openKeyFile(text, passphrase, strict), code, `${name} = ${value}`)
  }
  const infinite = protectedFile.replace(/"mem": \d+/, '"mem": 1e999')
  await rejectsWithCode(t, openKeyFile(infinite, passphrase, strict), 'key_file_costly')
  for (const mem of [Number.NaN, 1024, Number.NEGATIVE_INFINITY]) {
    await rejectsWithCode(
      t,
      encryptKeyFile(identity, passphrase, { ...floor, mem }),
      'key_file_weak',
    )
  }
  await rejectsWithCode(t, encryptKeyFile(identity, passphrase, { ops: 1e9 }), 'key_file_costly')
  t.ok(performance.now() - began < 300, 'far less than one derivation')
})

t.test('damage in any part of a protected file is found', async (t) => {
  const salt = edited(protectedFile, (file) => {
    file.kdf['salt'] = flipped(String(file.kdf['salt']))
  })
  await rejectsWithCode(t, openKeyFile(salt, passphrase, strict), 'passphrase_wrong')
  for (const [name, code] of [
    ['kc', 'passphrase_wrong'],
    ['ct', 'key_file_malformed'],
  ] as const) {
    const text = edited(protectedFile, (file) => {
      file[name] = flipped(String(file[name]))
    })
    await rejectsWithCode(t, openKeyFile(text, passphrase, strict), code, name)
  }
})

t.test('damage in every byte of every region of the layout is found', async (t) => {
  // The same layout without the second of key derivation.
  const file = JSON.parse(openFile) as Json
  for (const name of ['publicKey', 'nonce', 'kc', 'ct'] as const) {
    const length = fromBase64url(String(file[name]))?.length ?? 0
    for (let at = 0; at < length; at++) {
      const text = edited(openFile, (json) => {
        json[name] = flipped(String(json[name]), at)
      })
      const code = name === 'kc' || name === 'nonce' ? 'passphrase_wrong' : 'key_file_malformed'
      await rejectsWithCode(t, openKeyFile(text, null, example), code, `${name}, byte ${at}`)
    }
  }
  for (const [name, value] of [
    ['kind', 'administrator'],
    ['created', 1],
  ] as const) {
    const text = edited(openFile, (json) => {
      json[name] = value
    })
    await rejectsWithCode(t, openKeyFile(text, null, example), 'key_file_malformed', name)
  }
})

t.test('anything that is not a key file', async (t) => {
  const cuts = [0, 1, Math.floor(openFile.length / 2), openFile.length - 3]
  for (const length of cuts) {
    const text = openFile.slice(0, length)
    await rejectsWithCode(
      t,
      openKeyFile(text, null, example),
      'key_file_malformed',
      `cut ${length}`,
    )
  }
  const top: readonly [string, unknown][] = [
    ['v', 2],
    ['kind', 'relay'],
    ['created', -1],
    ['publicKey', 'AAAA'],
    ['nonce', 'AAAA='],
    ['kc', 7],
    ['ct', ' '],
    ['note', ''],
  ]
  const inKdf: readonly [string, unknown][] = [
    ['alg', 'scrypt'],
    ['mem', 1],
  ]
  const cases = [
    ...top.map(([name, value]) => [`/${name}`, withField(openFile, name, value)] as const),
    ...inKdf.map(([name, value]) => [`/kdf/${name}`, withKdf(openFile, name, value)] as const),
  ]
  for (const [field, text] of cases) {
    const opened = openKeyFile(text, null, example)
    const error = await rejectsWithCode(t, opened, 'key_file_malformed', field)
    t.equal(error?.field, field)
  }
  const parallel = withKdf(protectedFile, 'p', 2)
  await rejectsWithCode(t, openKeyFile(parallel, passphrase, strict), 'key_file_malformed')
  const huge = `${openFile}${' '.repeat(20_000)}`
  await rejectsWithCode(t, openKeyFile(huge, null, example), 'key_file_malformed')
})
