import {
  type EpochMs,
  epochMs,
  equal,
  RelayError,
  randomBytes,
  textOf,
  toBase64url,
} from '@liaison/protocol'
import { concat, sodium } from '@liaison/protocol/internal'
import { JsonFields, parseJson } from '../identity/json-fields.ts'
import {
  type DerivedKey,
  defaultCost,
  deriveFromPassphrase,
  type KeyFileCost,
  normalisePassphrase,
  passphraseLengthMin,
  saltBytes,
} from '../identity/key-derivation.ts'

/** Longest first line, bytes. */
const headBytesMax = 8192
/** Longest chunk before encryption, bytes. */
const chunkBytesMax = 1024 * 1024
const lengthBytes = 4

/** What a file says openly, before its passphrase is known; authenticated once it is opened. */
export interface SealedInfo {
  /** What is in it, such as `device-backup`. */
  readonly kind: string
  readonly created: EpochMs
  /** Short facts for people, such as the name of the network. */
  readonly about: Readonly<Record<string, string>>
}

/** A file whose first line was read; `open` reads the rest. */
export interface SealedFile {
  readonly info: SealedInfo
  /**
   * The chunks, in order. Ends only after the last one that was written: a file that was cut off, or
   * altered anywhere, ends in an error. Use nothing before the end.
   *
   * @throws RelayError `passphrase_wrong`, `backup_damaged`.
   */
  open(passphrase: string): AsyncGenerator<Uint8Array>
}

interface Head extends SealedInfo {
  readonly salt: Uint8Array
  readonly cost: KeyFileCost
  readonly commitment: Uint8Array
  readonly start: Uint8Array
}

/**
 * Encrypts chunks under a passphrase: one line of JSON that says what the file is, then libsodium's
 * secretstream under a key of Argon2id, each chunk after its length. `sodiumReady()` must be awaited.
 *
 * @param chunks At most 1 MiB each.
 * @throws RelayError `key_file_weak` for a passphrase of fewer than 12 characters.
 */
export async function* sealStream(
  info: SealedInfo,
  passphrase: string,
  chunks: AsyncIterable<Uint8Array>,
  cost: KeyFileCost = defaultCost,
): AsyncGenerator<Uint8Array> {
  if ([...normalisePassphrase(passphrase)].length < passphraseLengthMin) {
    throw new RelayError('key_file_weak', { field: 'passphrase' })
  }
  const salt = randomBytes(saltBytes)
  const derived = await deriveFromPassphrase(passphrase, salt, cost)
  const { state, header } = sodium().crypto_secretstream_xchacha20poly1305_init_push(derived.key)
  const line = headLine({
    ...info,
    salt,
    cost,
    commitment: derived.commitment.slice(),
    start: header,
  })
  derived.wipe()
  const { more, last } = tags()
  const push = (chunk: Uint8Array, tag: number): Uint8Array => {
    const sealed = sodium().crypto_secretstream_xchacha20poly1305_push(state, chunk, line, tag)
    const length = new Uint8Array(lengthBytes)
    new DataView(length.buffer).setUint32(0, sealed.length)
    return concat(length, sealed)
  }
  yield line
  for await (const chunk of chunks) {
    if (chunk.length > chunkBytesMax) throw new RangeError('a chunk has at most 1 MiB')
    yield push(chunk, more)
  }
  yield push(new Uint8Array(), last)
}

/**
 * Reads the first line of a file made by {@link sealStream}.
 *
 * @param kind What it must be.
 * @throws RelayError `backup_damaged` when it is something else; `key_file_weak`, `key_file_costly`
 * for a file made weaker, or made to stop the machine.
 */
export async function readSealedFile(
  bytes: AsyncIterable<Uint8Array>,
  kind: string,
): Promise<SealedFile> {
  const reader = new Reader(bytes)
  const line = await reader.line()
  const head = parseHead(line, kind)
  return {
    info: { kind: head.kind, created: head.created, about: head.about },
    open: (passphrase) => openStream(reader, line, head, passphrase),
  }
}

async function* openStream(
  reader: Reader,
  line: Uint8Array,
  head: Head,
  passphrase: string,
): AsyncGenerator<Uint8Array> {
  const state = await unlockedState(head, passphrase)
  const { last } = tags()
  for (;;) {
    const size = new DataView((await reader.take(lengthBytes)).buffer).getUint32(0)
    if (size > chunkBytesMax + 64) throw damaged('a part has an impossible length')
    const opened = pull(state, await reader.take(size), line)
    if (opened.tag === last) {
      if (opened.message.length > 0 || !(await reader.ended())) throw damaged('more than the end')
      return
    }
    yield opened.message
  }
}

type PullState = ReturnType<
  ReturnType<typeof sodium>['crypto_secretstream_xchacha20poly1305_init_pull']
>

async function unlockedState(head: Head, passphrase: string): Promise<PullState> {
  let derived: DerivedKey | null = null
  try {
    derived = await deriveFromPassphrase(passphrase, head.salt, head.cost)
    // Before anything is decrypted: a ciphertext that many keys open cannot be used to halve guesses.
    if (!equal(derived.commitment, head.commitment)) throw new RelayError('passphrase_wrong')
    return sodium().crypto_secretstream_xchacha20poly1305_init_pull(head.start, derived.key)
  } finally {
    derived?.wipe()
  }
}

function pull(
  state: PullState,
  sealed: Uint8Array,
  line: Uint8Array,
): { readonly message: Uint8Array; readonly tag: number } {
  // The binding gives false, or throws, for a part that does not verify.
  let opened: unknown
  try {
    opened = sodium().crypto_secretstream_xchacha20poly1305_pull(state, sealed, line)
  } catch (cause) {
    throw damaged('a part does not verify', cause)
  }
  if (typeof opened !== 'object' || opened === null) throw damaged('a part does not verify')
  return opened as { readonly message: Uint8Array; readonly tag: number }
}

const tags = (): { readonly more: number; readonly last: number } => ({
  more: sodium().crypto_secretstream_xchacha20poly1305_TAG_MESSAGE,
  last: sodium().crypto_secretstream_xchacha20poly1305_TAG_FINAL,
})

const damaged = (detail: string, cause?: unknown): RelayError =>
  new RelayError('backup_damaged', { detail, ...(cause === undefined ? {} : { cause }) })

function headLine({ kind, created, about, salt, cost, commitment, start }: Head): Uint8Array {
  const head = {
    liaison: 'sealed',
    v: 1,
    kind,
    created,
    about,
    kdf: { alg: 'argon2id13', ...cost, p: 1, salt: toBase64url(salt) },
    kc: toBase64url(commitment),
    start: toBase64url(start),
  }
  return new TextEncoder().encode(`${JSON.stringify(head)}\n`)
}

function parseHead(line: Uint8Array, kind: string): Head {
  const bad = (field: string): never => {
    throw damaged(`this is no ${kind}: ${field}`)
  }
  const value = parseJson(textOf(line), bad)
  const fields = ['liaison', 'v', 'kind', 'created', 'about', 'kdf', 'kc', 'start']
  const head = new JsonFields(value, '', fields, bad)
  head.word('liaison', ['sealed'])
  head.uint('v', { min: 1, max: 1 })
  head.word('kind', [kind])
  const kdf = head.object('kdf', ['alg', 'mem', 'ops', 'p', 'salt'])
  kdf.word('alg', ['argon2id13'])
  kdf.uint('p', { min: 1, max: 1 })
  const about = head.raw('about')
  const facts = typeof about === 'object' && about !== null ? Object.entries(about) : bad('/about')
  if (facts.some(([, fact]) => typeof fact !== 'string')) bad('/about')
  return {
    kind,
    created: epochMs(head.uint('created', { max: 8.64e15 })),
    about: Object.fromEntries(facts) as Record<string, string>,
    salt: kdf.bytes('salt', saltBytes),
    // The bounds are those of key files; they are judged when the passphrase is used.
    cost: { mem: kdf.uint('mem'), ops: kdf.uint('ops') },
    commitment: head.bytes('kc', 32),
    start: head.bytes('start', 24),
  }
}

/** Takes bytes in the sizes that are wanted from parts of any size. */
class Reader {
  readonly #parts: AsyncIterator<Uint8Array>
  #rest: Uint8Array = new Uint8Array()

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#parts = bytes[Symbol.asyncIterator]()
  }

  /** The first line with its end. */
  async line(): Promise<Uint8Array> {
    for (;;) {
      const end = this.#rest.indexOf(10)
      if (end >= 0) return this.take(end + 1)
      if (this.#rest.length > headBytesMax || !(await this.#more())) {
        throw damaged('it does not begin like a file of Liaison')
      }
    }
  }

  async take(count: number): Promise<Uint8Array> {
    const parts = [this.#rest]
    let have = this.#rest.length
    while (have < count) {
      const next = await this.#parts.next()
      if (next.done === true) throw damaged('it is cut off')
      parts.push(next.value)
      have += next.value.length
    }
    const all = concat(...parts)
    this.#rest = all.slice(count)
    return all.slice(0, count)
  }

  async ended(): Promise<boolean> {
    while (this.#rest.length === 0) if (!(await this.#more())) return true
    return false
  }

  async #more(): Promise<boolean> {
    const next = await this.#parts.next()
    if (next.done === true) return false
    this.#rest = concat(this.#rest, next.value)
    return true
  }
}
