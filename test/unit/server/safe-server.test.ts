import t from 'tap'
import { SafeServer } from '../../../server/src/log/redis/safe-server.ts'

/** A connection as far as it matters here. */
class Connection {
  renewed = 0
  readonly server: string
  readonly since: number

  constructor(server: string, since: number) {
    this.server = server
    this.since = since
  }

  renew(): void {
    this.renewed++
  }
}

t.test('nothing is read from a server before one gave proof', async (t) => {
  const link = new Connection('a:1', 1)
  const safe = new SafeServer(() => [link])
  t.equal(safe.has(link), false)
  safe.proved(link)
  t.equal(safe.has(link), true)
})

t.test(
  'a failover makes the old connections worthless, and an old proof does not help them',
  async (t) => {
    const [query, writer] = [new Connection('a:1', 1), new Connection('a:1', 2)]
    const [writerAfter, queryAfter] = [new Connection('b:1', 50), new Connection('b:1', 51)]
    const links: Connection[] = [query, writer]
    const safe = new SafeServer(() => links)
    safe.proved(writer)
    t.equal(safe.has(query), true)
    links.splice(0, 2, query, writerAfter)
    safe.proved(writerAfter)
    t.equal(safe.has(query), false, 'the idle connection still goes to the old primary')
    t.equal(query.renewed, 1, 'and is made anew')
    safe.proved(writer)
    t.equal(safe.has(writerAfter), true, 'an answer from before the failover that came late')
    t.equal(safe.has(query), false)
    t.equal(safe.has(queryAfter), true)
    t.equal(writerAfter.renewed, 0)
  },
)

t.test('a server may become the primary again', async (t) => {
  const safe = new SafeServer(() => [])
  safe.proved(new Connection('a:1', 1))
  safe.proved(new Connection('b:1', 50))
  const back = new Connection('a:1', 90)
  safe.proved(back)
  t.equal(safe.has(back), true)
})
