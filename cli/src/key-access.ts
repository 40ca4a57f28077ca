import { type Identity, openKeyFile, readKeyFileInfo } from '@liaison/client-sdk/admin'
import { keyFileExists, readKeyFile } from '@liaison/client-sdk/node'
import { RelayError } from '@liaison/protocol'
import type { Context } from './context.ts'
import { askPassphrase } from './prompts.ts'

/** What the person has to do first when there is no key file. */
const makeOne = 'Make one with `liaison identity new`.'

/**
 * Reads and opens a key file, asking for its passphrase if it has one.
 *
 * @param example Whether the network says that it is an example: only then may a file be unprotected.
 * @throws RelayError of the key file.
 */
export async function unlock(
  context: Context,
  path: string,
  kind: Identity['kind'],
  example: boolean,
): Promise<Identity> {
  const text = await readExisting(path)
  const info = readKeyFileInfo(text)
  if (info.kind !== kind) {
    throw new RelayError('not_permitted', {
      field: path,
      detail: `This is a key of ${info.kind === 'device' ? 'a device' : 'an administrator'}.`,
    })
  }
  const passphrase = info.protected ? await askPassphrase(context, path) : null
  try {
    return await openKeyFile(text, passphrase, { allowUnprotected: example })
  } catch (error) {
    throw withPath(error, path)
  }
}

/** The text of a key file. @throws RelayError `not_enrolled` with advice when there is none. */
export async function readExisting(path: string): Promise<string> {
  if (await keyFileExists(path)) return readKeyFile(path)
  throw new RelayError('key_file_malformed', { field: path, detail: `There is none. ${makeOne}` })
}

function withPath(error: unknown, path: string): unknown {
  if (!(error instanceof RelayError)) return error
  const detail =
    error.code === 'key_file_weak' && error.field === '/kdf/alg'
      ? 'It has no passphrase, which only example networks accept.'
      : error.detail
  return new RelayError(error.code, {
    field: path,
    ...(detail === undefined ? {} : { detail }),
    cause: error,
  })
}
