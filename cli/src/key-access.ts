import {
  type Identity,
  type KeyFileInfo,
  openKeyFile,
  readKeyFileInfo,
} from '@liaison/client-sdk/admin'
import { keyFileExists, readKeyFile } from '@liaison/client-sdk/node'
import { RelayError } from '@liaison/protocol'
import type { Context } from './context.ts'
import { askPassphrase } from './prompts.ts'

/** What the person has to do first when there is no key file. */
const makeOne = 'Make one with `liaison identity new`.'

/** How often a person may type a passphrase that does not fit. */
const tries = 3

/** The passphrase of one key file, for others that were made together with it. */
export interface SharedPassphrase {
  text: string | null
}

/**
 * Reads and opens a key file, asking for its passphrase if it has one.
 *
 * @param example Whether the network says that it is an example: only then may a file be unprotected.
 * @param shared What opened the file before; absent when files have nothing to do with each other.
 * @throws RelayError of the key file.
 */
export async function unlock(
  context: Context,
  path: string,
  kind: Identity['kind'],
  example: boolean,
  shared: SharedPassphrase = { text: null },
): Promise<Identity> {
  const { text, info } = await readExistingKey(path)
  if (info.kind !== kind) {
    throw new RelayError('not_permitted', {
      field: path,
      detail: `This is a key of ${info.kind === 'device' ? 'a device' : 'an administrator'}.`,
    })
  }
  for (let left = tries - 1; ; left--) {
    const passphrase = info.protected ? (shared.text ?? (await askPassphrase(context, path))) : null
    try {
      const identity = await openKeyFile(text, passphrase, { allowUnprotected: example })
      shared.text = passphrase
      return identity
    } catch (error) {
      const mistyped = error instanceof RelayError && error.code === 'passphrase_wrong'
      const again = mistyped && context.interactive && context.passphraseFile === undefined
      if (!again || left <= 0) throw withPath(error, path)
      shared.text = null
      context.out.warn('That passphrase does not open it. Try again.')
    }
  }
}

/** The text of a key file. @throws RelayError `not_enrolled` with advice when there is none. */
export async function readExisting(path: string): Promise<string> {
  if (await keyFileExists(path)) return readKeyFile(path)
  throw new RelayError('key_file_malformed', { field: path, detail: `There is none. ${makeOne}` })
}

/** A key file, and what it says without its passphrase. @throws RelayError that names the file. */
export async function readExistingKey(
  path: string,
): Promise<{ readonly text: string; readonly info: KeyFileInfo }> {
  const text = await readExisting(path)
  try {
    return { text, info: readKeyFileInfo(text) }
  } catch (error) {
    if (!(error instanceof RelayError) || error.code !== 'key_file_malformed') {
      throw withPath(error, path)
    }
    const detail = whatIsWrong(text, error.field)
    throw new RelayError('key_file_malformed', { field: path, detail, cause: error })
  }
}

/** Why a text is no key file, in one sentence. */
function whatIsWrong(text: string, field: string | undefined): string {
  if (text.trim() === '') return 'It is empty.'
  let value: unknown
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch {
    return text.trimStart().startsWith('{')
      ? 'It is cut off, or was changed by hand.'
      : 'It is some other kind of file.'
  }
  const isKeyFile =
    typeof value === 'object' && value !== null && 'kdf' in value && 'publicKey' in value
  if (!isKeyFile) return 'It is some other kind of file.'
  return `Its field ${field ?? '/'} is missing or wrong.`
}

function withPath(error: unknown, path: string): unknown {
  if (!(error instanceof RelayError)) return error
  const detail =
    error.code === 'key_file_weak' && error.field === '/kdf/alg'
      ? 'It has no passphrase, which only example networks accept.'
      : error.code === 'key_file_malformed' && error.field === '/ct'
        ? 'It was changed, or damaged.'
        : error.detail
  return new RelayError(error.code, {
    field: path,
    ...(detail === undefined ? {} : { detail }),
    cause: error,
  })
}
