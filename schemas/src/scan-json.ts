import { type Problem, pointerStep, pointerToUnknown, problem } from './problem.ts'
import { bodyLimits, forbiddenKeys, hasLoneSurrogate, isSafeNumber } from './tree.ts'

/** What is open at one depth: an object with the keys seen so far, or an array with its index. */
type Frame = {
  readonly keys: Set<string> | null
  readonly pointer: string
  key: string
  index: number
}

const stringToken = /"(?:[^"\\]|\\.)*"/suy
const numberToken = /-?[0-9.eE+-]+/y
const keyEnd = /[ \t\n\r]*:/y

/**
 * Reads JSON text once, without building anything and without recursion, for what `JSON.parse`
 * silently accepts: a key twice, keys such as `__proto__`, numbers that lose their value, depth
 * without end. Text that is no JSON at all is left to `JSON.parse`, which runs afterwards.
 *
 * @returns The first problem, with its offset in UTF-16 units, or null.
 */
export function scanJson(text: string): Problem | null {
  const stack: Frame[] = []
  let values = 0
  let at = 0
  while (at < text.length) {
    const character = text.charAt(at)
    const frame = stack.at(-1)
    if (character === '{' || character === '[') {
      if (stack.length >= bodyLimits.depthMax) {
        return problem('', 'too_deep', { limit: bodyLimits.depthMax, offset: at })
      }
      const keys = character === '{' ? new Set<string>() : null
      stack.push({ keys, pointer: pointerIn(frame), key: '', index: 0 })
      values += 1
    } else if (character === '}' || character === ']') {
      stack.pop()
    } else if (character === ',' && frame !== undefined) {
      frame.index += 1
      values += 1
    } else if (character === '"') {
      const end = tokenEnd(stringToken, text, at)
      if (end === -1) return problem(pointerIn(frame), 'json_syntax', { offset: at })
      const found = checkString(text.slice(at, end), isKey(frame, text, end), frame, at)
      if (found !== null) return found
      at = end
      continue
    } else if (character === '-' || (character >= '0' && character <= '9')) {
      const end = tokenEnd(numberToken, text, at)
      if (!isSafeNumber(Number(text.slice(at, end)))) {
        return problem(pointerIn(frame), 'unsafe_number', { offset: at })
      }
      at = end
      continue
    }
    if (values > bodyLimits.valuesMax) {
      return problem('', 'too_many_values', { limit: bodyLimits.valuesMax, offset: at })
    }
    at += 1
  }
  return null
}

function tokenEnd(token: RegExp, text: string, at: number): number {
  token.lastIndex = at
  return token.test(text) ? token.lastIndex : -1
}

const isKey = (frame: Frame | undefined, text: string, end: number): boolean =>
  frame !== undefined && frame.keys !== null && tokenEnd(keyEnd, text, end) !== -1

const pointerIn = (frame: Frame | undefined): string => {
  if (frame === undefined) return ''
  return frame.keys === null
    ? frame.pointer + pointerStep(frame.index)
    : pointerToUnknown(frame.pointer, frame.key)
}

function checkString(
  token: string,
  key: boolean,
  frame: Frame | undefined,
  offset: number,
): Problem | null {
  let value: string
  try {
    // Escapes have to be resolved: "a" and "\u0061" are the same key.
    value = JSON.parse(token) as string
  } catch {
    return problem(pointerIn(frame), 'json_syntax', { offset })
  }
  if (hasLoneSurrogate(value)) {
    return problem(key ? (frame?.pointer ?? '') : pointerIn(frame), 'lone_surrogate', { offset })
  }
  if (!key || frame === undefined) return null
  if (forbiddenKeys.has(value)) return problem(frame.pointer, 'forbidden_key', { offset })
  frame.key = value
  if (frame.keys?.has(value) === true) {
    return problem(pointerIn(frame), 'duplicate_key', { offset })
  }
  frame.keys?.add(value)
  return null
}
