import t from 'tap'
import { Transport, type WebSocketLike } from '../../../../client-sdk/src/session/transport.ts'

/** A socket that does what the test says. */
function socket(): WebSocketLike & { readonly closes: (number | undefined)[] } {
  const closes: (number | undefined)[] = []
  return {
    closes,
    binaryType: '',
    bufferedAmount: 0,
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
    send: () => undefined,
    close: (code) => closes.push(code),
  }
}

t.test('what arrives after closing was asked for is not told: the owner is gone', (t) => {
  const fake = socket()
  const heard: string[] = []
  const transport = new Transport(() => fake, 'ws://relay.example', {
    opened: () => heard.push('opened'),
    message: (bytes) => heard.push(`message of ${bytes.length}`),
    closed: ({ code }) => heard.push(`closed ${code}`),
  })
  const message = fake.onmessage as unknown as (event: { data: unknown }) => void
  const close = fake.onclose as unknown as (event: { code: number; reason: string }) => void
  message({ data: new ArrayBuffer(3) })
  transport.close()
  message({ data: new ArrayBuffer(4) })
  close({ code: 1000, reason: '' })
  t.strictSame(heard, ['message of 3', 'closed 1000'])
  t.strictSame(fake.closes, [1000])
  t.end()
})

t.test('a text frame ends the connection', (t) => {
  const fake = socket()
  const heard: number[] = []
  new Transport(() => fake, 'ws://relay.example', {
    opened: () => undefined,
    message: (bytes) => heard.push(bytes.length),
    closed: () => undefined,
  })
  ;(fake.onmessage as unknown as (event: { data: unknown }) => void)({ data: 'text' })
  t.strictSame(fake.closes, [1000])
  t.strictSame(heard, [])
  t.end()
})
