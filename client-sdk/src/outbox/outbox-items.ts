import { toHex } from '@liaison/protocol'
import type { OutboxItem } from './outbox-item.ts'

const isUnsent = ({ state }: OutboxItem): boolean => state === 'queued' || state === 'sealed'

/**
 * The items of an outbox in memory. What is asked for at every acknowledgement and in every round of
 * sending is found without a look at all that was ever sent.
 */
export class OutboxItems {
  readonly #byId = new Map<string, OutboxItem>()
  readonly #idByCore = new Map<string, string>()
  readonly #idByKey = new Map<string, string>()
  readonly #unsent = new Set<string>()

  get(id: string): OutboxItem | null {
    return this.#byId.get(id) ?? null
  }

  /** The item whose last sealed bytes have this core hash. */
  byCore(core: Uint8Array): OutboxItem | null {
    return this.get(this.#idByCore.get(toHex(core)) ?? '')
  }

  byIdempotencyKey(key: string): OutboxItem | null {
    return this.get(this.#idByKey.get(key) ?? '')
  }

  /** All, in the order of submission. */
  list(): OutboxItem[] {
    return [...this.#byId.values()].sort((a, b) => a.order - b.order)
  }

  /** Those that wait to be sent, or for the relay's answer; in no order. */
  unsent(): OutboxItem[] {
    return [...this.#unsent].flatMap((id) => this.get(id) ?? [])
  }

  /** Adds an item, or takes its new state. */
  put(item: OutboxItem): void {
    this.#forget(item.id)
    // An item that is known keeps its place, so the list is almost in order.
    this.#byId.set(item.id, item)
    if (item.sealed !== null) this.#idByCore.set(toHex(item.sealed.core), item.id)
    if (item.idempotencyKey !== null) this.#idByKey.set(item.idempotencyKey, item.id)
    if (isUnsent(item)) this.#unsent.add(item.id)
  }

  delete(id: string): void {
    this.#forget(id)
    this.#byId.delete(id)
  }

  /** Takes out the names under which an item was found. */
  #forget(id: string): void {
    const before = this.get(id)
    this.#unsent.delete(id)
    if (before === null) return
    if (before.sealed !== null) this.#idByCore.delete(toHex(before.sealed.core))
    if (before.idempotencyKey !== null) this.#idByKey.delete(before.idempotencyKey)
  }
}
