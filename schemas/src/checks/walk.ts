import { pointerToUnknown } from '../problem.ts'

/** Sees one value: the name of its field or its place in a list, the value, its JSON pointer. */
export type Visit = (key: string, value: unknown, pointer: string) => void

/** Visits every value below a node. */
export function walk(node: unknown, pointer: string, visit: Visit): void {
  if (typeof node !== 'object' || node === null) return
  for (const [key, value] of Object.entries(node)) {
    const at = pointerToUnknown(pointer, key)
    visit(key, value, at)
    walk(value, at, visit)
  }
}
