/** Heads of CBOR items: type and argument, in the shortest form (RFC 8949, section 4.2.1). */

/** Major types of the profile. */
export const major = { uint: 0, bytes: 2, text: 3, array: 4, map: 5 } as const

/** Low bits of a head whose argument follows in so many bytes. */
const headOfSize = { 1: 24, 2: 25, 4: 26, 8: 27 } as const

/** Bytes of an argument that does not fit into the head itself. */
function sizeOf(argument: number): 1 | 2 | 4 | 8 {
  if (argument < 0x100) return 1
  if (argument < 0x10000) return 2
  return argument < 0x100000000 ? 4 : 8
}

/** Length of the head with this argument. @param argument 0..2^53-1 */
export const headLength = (argument: number): number => (argument < 24 ? 1 : 1 + sizeOf(argument))

/** Writes a head. @returns the place behind it */
export function writeHead(out: Uint8Array, at: number, type: number, argument: number): number {
  if (argument < 24) {
    out[at] = (type << 5) | argument
    return at + 1
  }
  const size = sizeOf(argument)
  out[at] = (type << 5) | headOfSize[size]
  let rest = argument
  for (let i = size; i >= 1; i--) {
    out[at + i] = rest % 0x100
    rest = Math.floor(rest / 0x100)
  }
  return at + 1 + size
}

/** Whether exactly this head stands at a place. */
export function hasHead(bytes: Uint8Array, at: number, type: number, argument: number): boolean {
  if (argument < 24) return bytes[at] === ((type << 5) | argument)
  const size = sizeOf(argument)
  if (bytes[at] !== ((type << 5) | headOfSize[size]) || at + 1 + size > bytes.length) return false
  let rest = argument
  for (let i = size; i >= 1; i--) {
    if (bytes[at + i] !== rest % 0x100) return false
    rest = Math.floor(rest / 0x100)
  }
  return true
}
