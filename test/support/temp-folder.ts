import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A folder that disappears, with everything in it, when its scope ends. */
export interface TempFolder extends AsyncDisposable {
  readonly path: string
  /** Writes a file, with the folders that it needs, and gives its full path. */
  write(name: string, content: string | Uint8Array): Promise<string>
}

/** Makes an empty folder outside the repository: `await using folder = await tempFolder()`. */
export async function tempFolder(): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), 'liaison-test-'))
  return {
    path,
    async write(name, content) {
      const file = join(path, name)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, content)
      return file
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}
