declare const brand: unique symbol

/** A value that only the file that owns `Name` may mint, so that two counters cannot be mixed up. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** 32 bytes that name one network; enters every hash and signature and is never sent. */
export type NetworkId = Brand<Uint8Array, 'NetworkId'>

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = Brand<number, 'EpochMs'>
