import { stat } from 'node:fs/promises'
import { RelayError } from '@liaison/protocol'
import type { Context } from './context.ts'

/** Windows has access lists instead of modes. */
const hasModes = process.platform !== 'win32'

/** Who can do what in the home folder. */
export type HomeState = 'absent' | 'no-folder' | 'others-write' | 'others-read' | 'private'

/** Looks at the home folder. @throws what `stat` throws, but for a folder that is not there. */
export async function homeState({ home }: Context): Promise<HomeState> {
  try {
    const info = await stat(home)
    if (!info.isDirectory()) return 'no-folder'
    if (!hasModes) return 'private'
    if ((info.mode & 0o022) !== 0) return 'others-write'
    return (info.mode & 0o055) === 0 ? 'private' : 'others-read'
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'absent'
    throw error
  }
}

/**
 * Refuses a home folder in which other users can exchange files: they could put another network, or
 * another identity, in place of the right one.
 *
 * @throws RelayError `config_invalid`.
 */
export async function checkHome(context: Context): Promise<void> {
  const state = await homeState(context)
  if (state === 'others-write') {
    throw new RelayError('config_invalid', {
      field: context.home,
      detail: `Other users can exchange files in it: chmod 700 ${context.home}`,
    })
  }
  if (state === 'no-folder') {
    throw new RelayError('config_invalid', {
      field: context.home,
      detail: 'It is a file. Name a folder with --home.',
    })
  }
}
