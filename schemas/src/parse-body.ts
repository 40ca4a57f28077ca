import { type Problem, problem } from './problem.ts'
import { scanJson } from './scan-json.ts'
import { bodyLimits, checkTree } from './tree.ts'

/** A parsed body, or the first thing that is wrong with its bytes. */
export type Parsed =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problems: readonly Problem[] }

const failed = (found: Problem): Parsed => ({ ok: false, problems: [found] })

/**
 * Parses the bytes of a body strictly: UTF-8 without a byte order mark, bounded size, depth and
 * number of values, no key twice, no key that JavaScript gives a meaning, no half of a surrogate
 * pair, no number that loses its value. Depth and keys are checked before anything is built.
 *
 * The schema is not applied; `validateReport` and `validateControl` do that.
 */
export function parseBody(bytes: Uint8Array): Parsed {
  if (bytes.length > bodyLimits.bytesMax) {
    return failed(problem('', 'too_large', { limit: bodyLimits.bytesMax }))
  }
  let text: string
  try {
    // Keeping a byte order mark makes the parser refuse it: two encodings of one body are one too many.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return failed(problem('', 'invalid_utf8'))
  }
  return parseText(text)
}

/** The same for text that is decoded already, such as the content of an editor. */
export function parseText(text: string): Parsed {
  // A code unit is at least one byte, so this refuses nothing that parseBody would take.
  if (text.length > bodyLimits.bytesMax) {
    return failed(problem('', 'too_large', { limit: bodyLimits.bytesMax }))
  }
  const scanned = scanJson(text)
  if (scanned !== null) return failed(scanned)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return failed(problem('', 'json_syntax'))
  }
  const found = checkTree(value)
  return found === null ? { ok: true, value } : failed(found)
}
