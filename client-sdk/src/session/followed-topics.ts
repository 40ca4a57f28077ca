import type { Directory } from '@liaison/protocol'
import type { InboxRows } from '../inbox/inbox-rows.ts'
import type { Link } from './link.ts'

/** What following topics needs. */
export interface FollowedTopicsDeps {
  readonly directory: Directory
  readonly device: number
  /** Names; every topic that the device may read when absent. */
  readonly follow: readonly string[] | undefined
  readonly rows: InboxRows
}

/** The topics that a device follows, on this connection or the next. */
export class FollowedTopics {
  readonly #deps: FollowedTopicsDeps
  readonly #topics = new Set<number>()

  constructor(deps: FollowedTopicsDeps) {
    this.#deps = deps
    this.update()
  }

  /** Topic of a subscription, or null when it is none of a followed topic. */
  topicOf(sub: number): number | null {
    return this.#topics.has(sub - 1) ? sub - 1 : null
  }

  /** Brings the list up to the directory. @returns the topics that are new in it. */
  update(): number[] {
    const { follow, device, directory } = this.#deps
    const added: number[] = []
    for (const { num, name } of directory.topics()) {
      const wanted = follow?.includes(name) !== false && directory.mayRead(device, num)
      if (!wanted) this.#topics.delete(num)
      else if (!this.#topics.has(num)) added.push(num)
    }
    for (const topic of added) this.#topics.add(topic)
    return added
  }

  /** The right to read was taken; should it come back, the topic is followed again. */
  refused(sub: number): void {
    this.#topics.delete(sub - 1)
  }

  /** Asks for everything that is followed, on a new connection. */
  async subscribeAll(link: Link): Promise<void> {
    this.update()
    for (const topic of [...this.#topics]) await this.subscribe(link, topic)
  }

  /** Asks for one topic from where it was last told. */
  async subscribe(link: Link, topic: number): Promise<void> {
    const from = await this.#deps.rows.cursor(topic)
    // Checked here so that a topic without the right does not end in an error of the whole session.
    if (!this.#deps.directory.mayRead(this.#deps.device, topic)) return
    link.send({ kind: 'subscribe', sub: topic + 1, top: topic, from, fluPaths: false })
  }

  /** The relay has less of a topic than this device was told: it is read from the beginning. */
  async rewind(link: Link, topic: number): Promise<void> {
    await this.#deps.rows.rewind(topic)
    await this.subscribe(link, topic)
  }
}
