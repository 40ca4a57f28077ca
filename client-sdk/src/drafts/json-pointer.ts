import { RelayError } from '@liaison/protocol'

type Container = Record<string, unknown> | unknown[]

/**
 * Sets, or with `undefined` removes, the value at a JSON pointer (RFC 6901). Objects that are missing on
 * the way are made; `-` is the end of a list.
 *
 * @returns A copy with the change; what was given stays as it was.
 * @throws RelayError `content_invalid` when the pointer leads through what has no fields.
 */
export function withValueAt(
  root: Readonly<Record<string, unknown>>,
  pointer: string,
  value: unknown,
): Record<string, unknown> {
  const copy = structuredClone(root) as Record<string, unknown>
  const parts = partsOf(pointer)
  const last = parts.pop()
  if (last === undefined) throw bad(pointer)
  let at: Container = copy
  for (const part of parts) {
    const next: unknown = Array.isArray(at) ? at[placeIn(at, part, pointer)] : at[part]
    if (next !== undefined && (typeof next !== 'object' || next === null)) throw bad(pointer)
    const inner = (next ?? {}) as Container
    put(at, part, inner, pointer)
    at = inner
  }
  put(at, last, value, pointer)
  return copy
}

function partsOf(pointer: string): string[] {
  if (!pointer.startsWith('/')) throw bad(pointer)
  const parts = pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  // Keys that JavaScript gives a meaning; a report may not have them either.
  if (parts.some((part) => ['__proto__', 'constructor', 'prototype'].includes(part))) {
    throw bad(pointer)
  }
  return parts
}

function put(into: Container, part: string, value: unknown, pointer: string): void {
  if (!Array.isArray(into)) {
    if (value === undefined) delete into[part]
    else into[part] = value
    return
  }
  const place = placeIn(into, part, pointer)
  if (value === undefined) into.splice(place, 1)
  else into[place] = value
}

function placeIn(list: readonly unknown[], part: string, pointer: string): number {
  const place = part === '-' ? list.length : /^(0|[1-9]\d{0,5})$/.test(part) ? Number(part) : -1
  if (place < 0 || place > list.length) throw bad(pointer)
  return place
}

const bad = (pointer: string): RelayError => new RelayError('content_invalid', { field: pointer })
