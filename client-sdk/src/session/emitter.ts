import { RelayError } from '@liaison/protocol'

/** What a session tells its owner. */
export interface SessionEvents {
  state: 'connecting' | 'online' | 'offline' | 'closed'
  /** Something a person should know; `code` is from the table of errors where it is one. */
  notice: { readonly code: string; readonly text: string }
  gap: {
    readonly topic: number
    readonly device: number
    readonly from: number
    readonly to: number
  }
  'key-changed': {
    readonly device: number
    /** Code of its member. */
    readonly member: string | null
    /** Whether the people of this device have verified that member: they should compare the number again. */
    readonly verified: boolean
    /** `keys` is the renewal of weekly keys, which changes no safety number. */
    readonly what: 'enrolled' | 'suspended' | 'revoked' | 'resumed' | 'keys'
  }
}

type Listener<E> = (event: E) => void

/** A small typed emitter: listeners leave through their signal. */
export class Emitter<Events> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>()

  on<K extends keyof Events>(
    type: K,
    listener: Listener<Events[K]>,
    options: { readonly signal?: AbortSignal } = {},
  ): void {
    const set = this.#listeners.get(type) ?? new Set()
    this.#listeners.set(type, set)
    set.add(listener as Listener<never>)
    options.signal?.addEventListener('abort', () => set.delete(listener as Listener<never>), {
      once: true,
    })
  }

  emit<K extends keyof Events>(type: K, event: Events[K]): void {
    for (const listener of this.#listeners.get(type) ?? []) {
      ;(listener as Listener<Events[K]>)(event)
    }
  }
}

/** The next event of a type. @throws RelayError `cancelled` when the signal fires first. */
export function nextOf<Events, K extends keyof Events>(
  emitter: Emitter<Events>,
  type: K,
  signal?: AbortSignal,
): Promise<Events[K]> {
  return new Promise((resolve, reject) => {
    const done = new AbortController()
    const finish = (event: Events[K]): void => {
      done.abort()
      resolve(event)
    }
    emitter.on(type, finish, { signal: done.signal })
    const cancelled = (): void => {
      done.abort()
      reject(new RelayError('cancelled'))
    }
    signal?.addEventListener('abort', cancelled, { signal: done.signal })
    if (signal?.aborted === true) cancelled()
  })
}

/** Lets any number of waiters sleep until something changed. */
export class Pulse {
  #waiters = new Set<() => void>()

  /** Wakes everybody who waits. */
  beat(): void {
    const waiters = this.#waiters
    this.#waiters = new Set()
    for (const wake of waiters) wake()
  }

  /** Resolves at the next beat, or when the signal fires. */
  next(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal?.removeEventListener('abort', done)
        this.#waiters.delete(done)
        resolve()
      }
      this.#waiters.add(done)
      signal?.addEventListener('abort', done, { once: true })
      if (signal?.aborted === true) done()
    })
  }
}
