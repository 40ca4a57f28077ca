import { decodeAs, encodeCbor, err, limits, ok, type Result } from '@liaison/protocol/internal'
import { content as checkContent } from '@liaison/schemas/wire'
import { deflateSync, Inflate } from 'fflate'

/** The sealed body in its wrapping. */
interface Content {
  readonly b: Uint8Array
  /** Media: 0 is JSON in UTF-8. */
  readonly m: number
  /** 1: `b` is deflated and `n` is its inflated length, bytes. */
  readonly z: number
  readonly n?: number
}

/** Small input chunks bound what one step of inflating can produce to about a mebibyte. */
const inflateStepBytes = 1024

/** Why an opened payload gives no body. */
export type ContentCode = 'content_malformed' | 'content_too_large'

/**
 * Wraps a body. Compression is off unless asked for: the length of compressed text tells something
 * about its content.
 */
export function wrapContent(
  body: Uint8Array,
  compress: boolean,
): Result<Uint8Array, 'content_too_large'> {
  if (body.length > limits.contentBytesMax) return err('content_too_large')
  const wrapped = compress
    ? { b: deflateSync(body), m: 0, z: 1, n: body.length }
    : { b: body, m: 0, z: 0 }
  return ok(encodeCbor(wrapped))
}

/** Unwraps a body; inflating stops at the declared length, which itself is bounded. */
export function unwrapContent(bytes: Uint8Array): Result<Uint8Array, ContentCode> {
  const decoded = decodeAs<Content>(bytes, checkContent)
  if (!decoded.ok) return err('content_malformed')
  const { b, z, n } = decoded.value
  if (z === 0) {
    if (n !== undefined) return err('content_malformed')
    return b.length > limits.contentBytesMax ? err('content_too_large') : ok(b)
  }
  if (n === undefined) return err('content_malformed')
  if (n > limits.contentBytesMax) return err('content_too_large')
  return inflateExactly(b, n)
}

function inflateExactly(deflated: Uint8Array, length: number): Result<Uint8Array, ContentCode> {
  const out = new Uint8Array(length)
  let filled = 0
  let finished = false
  let overflow = false
  const inflate = new Inflate((chunk, final) => {
    if (filled + chunk.length > length) {
      overflow = true
      return
    }
    out.set(chunk, filled)
    filled += chunk.length
    finished = final
  })
  try {
    for (let at = 0; at < deflated.length && !overflow; at += inflateStepBytes) {
      const end = Math.min(at + inflateStepBytes, deflated.length)
      inflate.push(deflated.subarray(at, end), end === deflated.length)
    }
  } catch {
    return err('content_malformed')
  }
  if (overflow) return err('content_too_large')
  return finished && filled === length ? ok(out) : err('content_malformed')
}
