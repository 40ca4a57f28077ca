import libsodium from 'libsodium-wrappers'

/** libsodium's functions as this project uses them. */
export type Sodium = typeof libsodium

let loaded: Sodium | null = null

/** Loads libsodium once. Every entry point awaits it before it does cryptography. */
export async function sodiumReady(): Promise<void> {
  if (loaded !== null) return
  await libsodium.ready
  loaded = libsodium
}

/** The loaded library. @throws Error when `sodiumReady` was not awaited: a bug of ours. */
export function sodium(): Sodium {
  if (loaded === null) throw new Error('libsodium used before sodiumReady()')
  return loaded
}
