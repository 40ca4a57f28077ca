import { fstatSync, writeSync } from 'node:fs'
import type { Streams } from './output.ts'
import { unavailable } from './unavailable.ts'

const stdoutFd = 1

/** Whether it is written by calls that return at once: a file, or a device such as /dev/full. */
function isFile(): boolean {
  try {
    const stat = fstatSync(stdoutFd)
    return !stat.isFIFO() && !stat.isSocket()
  } catch {
    // What it is cannot be said; the first write says what is wrong.
    return true
  }
}

function writeAll(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(stdoutFd, bytes, at)
}

const toFile: Streams['stdout'] = {
  isTTY: false,
  write: (text: string | Uint8Array): boolean => {
    try {
      writeAll(typeof text === 'string' ? Buffer.from(text, 'utf8') : text)
    } catch (cause) {
      throw unavailable('standard output', cause)
    }
    return true
  },
}

/**
 * Standard output of this process. Node's own stream writes to a file once and does not look at how
 * much was taken, so what a full disk cuts off would be lost without a word; a file is therefore
 * written here until it has everything. Pipes and terminals do their own waiting, and tell of errors
 * in an event.
 *
 * @throws RelayError `file_unavailable` from `write`.
 */
export const standardOutput: Streams['stdout'] =
  process.stdout.isTTY === true || !isFile() ? process.stdout : toFile
