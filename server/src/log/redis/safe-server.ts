import type { RedisLink } from './redis-link.ts'

/** What is asked of a connection. */
type Connection = Pick<RedisLink, 'server' | 'since' | 'renew'>

/**
 * Which server has given proof, by a write that replicas confirmed, that it is the primary. After a
 * failover the old primary may go on for a while: it still has what was never safe, at places where the
 * new one has something else by now. So nothing is read from any other server than this one.
 */
export class SafeServer {
  #server: string | null = null
  /** When the first connection to it that gave proof came into use. */
  #since = 0
  readonly #links: () => readonly Connection[]

  /** @param links All connections; those to another server are renewed when this one changes. */
  constructor(links: () => readonly Connection[]) {
    this.#links = links
  }

  /** A write over this connection was confirmed by the replicas. */
  proved(link: Connection): void {
    if (link.server === this.#server) return
    // An old connection: its proof was given before the failover, however late the answer came.
    if (this.#server !== null && link.since <= this.#since) return
    this.#server = link.server
    this.#since = link.since
    for (const other of this.#links()) {
      if (other.server !== link.server && other.since < link.since) {
        other.renew(new Error('another server is the primary by now'))
      }
    }
  }

  /** Whether what this connection reads can be relied on. */
  has(link: Connection): boolean {
    return link.server === this.#server
  }
}
