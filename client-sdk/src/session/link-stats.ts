import type { ErrorCode } from '@liaison/protocol'
import type { Link } from './link.ts'

/** What a session says about its connections. */
export interface LinkStats {
  /** Bytes of frames since the session began, over all connections. */
  readonly sent: number
  readonly received: number
  /** Bytes handed to the present connection that are still in this program. */
  readonly unsent: number
  /** Connections that let this device in, since the session began. */
  readonly connections: number
  /** Why nothing is sent now, or null. */
  readonly waiting: ErrorCode | null
  /** The relay's time minus this machine's, ms, once it has let this device in. */
  readonly relayAheadMs: number | null
}

/** Figures over all connections of a session. */
export class LinkCounters {
  #sent = 0
  #received = 0
  #connections = 0

  /** A connection let this device in. */
  opened(): void {
    this.#connections++
  }

  /** A connection ended; what it carried is added. */
  ended({ bytes }: Link): void {
    this.#sent += bytes.sent
    this.#received += bytes.received
  }

  /** All figures, those of the present connection included. */
  of(link: Link | null): Pick<LinkStats, 'sent' | 'received' | 'unsent' | 'connections'> {
    const { sent, received } = link?.bytes ?? { sent: 0, received: 0 }
    return {
      sent: this.#sent + sent,
      received: this.#received + received,
      unsent: link?.unsentBytes ?? 0,
      connections: this.#connections,
    }
  }
}
