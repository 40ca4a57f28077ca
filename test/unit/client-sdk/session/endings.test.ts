import { RelayError } from '@liaison/protocol'
import t from 'tap'
import { Endings } from '../../../../client-sdk/src/session/endings.ts'
import { ToldError } from '../../../../client-sdk/src/session/told-error.ts'

const told = new ToldError('auth_failed')

t.test('under TLS the word of the relay is believed at once', (t) => {
  t.ok(new Endings('wss://relay.example/relay').isFinal(told))
  t.end()
})

t.test('on a plain link it must be the same word three times, one after the other', (t) => {
  const endings = new Endings('ws://relay.example/relay')
  const other = new ToldError('device_inactive')
  const trouble = new RelayError('offline')
  t.same(
    [told, told, other, told, told, trouble, told, told, told].map((e) => endings.isFinal(e)),
    [false, false, false, false, false, false, false, false, true],
  )
  endings.forget()
  t.notOk(endings.isFinal(told), 'after a connection that lasted it counts from the beginning')
  t.end()
})

t.test('what this device found out itself ends the session at once, or never', (t) => {
  const endings = new Endings('ws://relay.example/relay')
  t.ok(endings.isFinal(new RelayError('directory_fork')))
  for (const code of ['offline', 'session_closed', 'cancelled', 'internal'] as const) {
    for (let i = 0; i < 5; i++) t.notOk(endings.isFinal(new RelayError(code)), code)
  }
  t.notOk(endings.isFinal(new ToldError('rate_limited')), 'it only asks for time')
  t.end()
})
