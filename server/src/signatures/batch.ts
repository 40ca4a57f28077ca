/** One signature to be checked. */
export interface Check {
  readonly signature: Uint8Array
  readonly message: Uint8Array
  readonly publicKey: Uint8Array
}

/** Puts checks into one buffer, so that a worker gets them in one piece. */
export function packChecks(checks: readonly Check[]): Uint8Array<ArrayBuffer> {
  const parts = checks.flatMap(({ signature, message, publicKey }) => [
    signature,
    publicKey,
    message,
  ])
  const out = new Uint8Array(parts.reduce((sum, part) => sum + 4 + part.length, 0))
  const view = new DataView(out.buffer)
  let at = 0
  for (const part of parts) {
    view.setUint32(at, part.length)
    out.set(part, at + 4)
    at += 4 + part.length
  }
  return out
}

/** The checks in such a buffer, as views into it. */
export function unpackChecks(bytes: Uint8Array): Check[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const parts: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = view.getUint32(at)
    parts.push(bytes.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  const checks: Check[] = []
  for (let i = 0; i + 2 < parts.length; i += 3) {
    const [signature, publicKey, message] = parts.slice(i, i + 3) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ]
    checks.push({ signature, message, publicKey })
  }
  return checks
}
