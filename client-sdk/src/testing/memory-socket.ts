import type { WebSocketLike } from '../session/transport.ts'

/** What the relay's side of a connection hears and can do. */
export interface RelayEnd {
  send(bytes: Uint8Array): void
  /** Ends the connection; `reason` is a code of the table of errors, or empty for a broken link. */
  close(code: number, reason: string): void
}

/** The client's side of a connection within one process. Bytes arrive in order, never in the same turn. */
export class MemorySocket implements WebSocketLike {
  binaryType = 'arraybuffer'
  readonly bufferedAmount = 0
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null
  #closed = false
  readonly #toRelay: (bytes: Uint8Array) => void
  readonly #gone: () => void

  /** @param accept Takes the relay's end; null refuses, as a relay that is not there. */
  constructor(
    accept: ((end: RelayEnd) => { receive: (bytes: Uint8Array) => void; gone: () => void }) | null,
  ) {
    const end: RelayEnd = {
      send: (bytes) => this.#later(() => this.#arrived(bytes)),
      close: (code, reason) => this.#end(code, reason),
    }
    const relay = accept?.(end)
    this.#toRelay = (bytes) => relay?.receive(bytes)
    this.#gone = () => relay?.gone()
    if (relay === undefined) this.#end(1006, '')
    else this.#later(() => this.onopen?.({} as never))
  }

  send(data: Uint8Array): void {
    const copy = new Uint8Array(data)
    this.#later(() => this.#toRelay(copy))
  }

  close(code = 1000, reason = ''): void {
    this.#end(code, reason)
  }

  #arrived(bytes: Uint8Array): void {
    const data = new Uint8Array(bytes).buffer
    this.onmessage?.({ data } as never)
  }

  #later(work: () => void): void {
    // A turn of its own for each frame: what waits on a promise in between is done by then.
    setTimeout(() => {
      if (!this.#closed) work()
    }, 0)
  }

  #end(code: number, reason: string): void {
    if (this.#closed) return
    this.#closed = true
    this.#gone()
    setTimeout(() => this.onclose?.({ code, reason } as never), 0)
  }
}
