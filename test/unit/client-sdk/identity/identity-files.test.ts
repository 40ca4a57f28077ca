import { chmod, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import {
  keyFileExists,
  readKeyFile,
  writeKeyFile,
} from '../../../../client-sdk/src/identity/node-identity-files.ts'
import { rejectsWithCode } from '../../../support/rejects-with-code.ts'
import { tempFolder } from '../../../support/temp-folder.ts'

const withoutModes = process.platform === 'win32' && 'this platform has no file modes'

t.test('a key file is written whole, for its owner only, and read back', async (t) => {
  await using folder = await tempFolder()
  const path = join(folder.path, 'device.key')
  t.equal(await keyFileExists(path), false)
  await writeKeyFile(path, 'content\n')
  t.equal(await keyFileExists(path), true)
  t.equal(await readKeyFile(path), 'content\n')
  t.strictSame(await readdir(folder.path), ['device.key'], 'nothing is left beside it')
  if (!withoutModes) t.equal((await stat(path)).mode & 0o777, 0o600)
})

t.test('a key file is never replaced', async (t) => {
  await using folder = await tempFolder()
  const path = join(folder.path, 'device.key')
  await writeKeyFile(path, 'first')
  await rejectsWithCode(t, writeKeyFile(path, 'second'), 'key_file_exists')
  t.equal(await readFile(path, 'utf8'), 'first')
  await symlink(join(folder.path, 'nowhere'), join(folder.path, 'link.key'))
  await rejectsWithCode(t, writeKeyFile(join(folder.path, 'link.key'), 'x'), 'key_file_exists')
  t.strictSame((await readdir(folder.path)).sort(), ['device.key', 'link.key'])
})

t.test('of two programs that write at once, one wins', async (t) => {
  await using folder = await tempFolder()
  const path = join(folder.path, 'device.key')
  const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((text) => writeKeyFile(path, text)))
  t.equal(outcomes.filter((outcome) => outcome.status === 'fulfilled').length, 1)
  t.match(await readFile(path, 'utf8'), /^[abc]$/)
})

t.test('a folder that is not there', async (t) => {
  await using folder = await tempFolder()
  const path = join(folder.path, 'none', 'device.key')
  await rejectsWithCode(t, writeKeyFile(path, 'x'), 'store_unavailable')
  await rejectsWithCode(t, readKeyFile(path), 'key_file_malformed')
})

t.test('a file that others can read is refused', { skip: withoutModes }, async (t) => {
  await using folder = await tempFolder()
  const path = join(folder.path, 'device.key')
  await writeKeyFile(path, 'x')
  for (const mode of [0o640, 0o604, 0o620, 0o644, 0o666, 0o601]) {
    await chmod(path, mode)
    await rejectsWithCode(t, readKeyFile(path), 'key_file_open', mode.toString(8))
  }
  await chmod(path, 0o400)
  t.equal(await readKeyFile(path), 'x')
})

t.test('what is no text, or far too long, is refused', async (t) => {
  await using folder = await tempFolder()
  const path = join(folder.path, 'binary.key')
  await writeFile(path, new Uint8Array([0xff, 0xfe, 0]), { mode: 0o600 })
  await rejectsWithCode(t, readKeyFile(path), 'key_file_malformed')
  const long = join(folder.path, 'long.key')
  await writeFile(long, 'x'.repeat(70_000), { mode: 0o600 })
  await rejectsWithCode(t, readKeyFile(long), 'key_file_malformed')
  await rejectsWithCode(t, readKeyFile(folder.path), 'key_file_malformed', 'a folder')
})
