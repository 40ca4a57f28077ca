/** States what the programmer believes. A failure is our bug, never the peer's; it is not caught. */
export function assert(condition: boolean, belief: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${belief}`)
}

/** Makes a `switch` over a closed union exhaustive at compile time. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${String(value)}`)
}
