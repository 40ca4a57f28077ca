import { RelayError } from '@liaison/protocol'

/** Name that the system gives to an error, or nothing. */
export const errnoOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

const reasons: { readonly [errno: string]: string } = {
  ENOENT: 'There is no such file or folder.',
  EACCES: 'This user may not read or write it.',
  EPERM: 'This user may not read or write it.',
  EISDIR: 'It is a folder.',
  ENOTDIR: 'A part of the path is not a folder.',
  ENOSPC: 'The disk is full.',
  EDQUOT: 'The disk space of this user is used up.',
  EFBIG: 'A file may not become so large here.',
  EIO: 'The disk reports an error.',
  EBADF: 'It is closed.',
  EROFS: 'The disk can only be read.',
}

/** What a failed operation on a file means. */
export function unavailable(path: string, cause: unknown): RelayError {
  const detail = reasons[errnoOf(cause)]
  return new RelayError('file_unavailable', {
    field: path,
    ...(detail === undefined ? {} : { detail }),
    cause,
  })
}
