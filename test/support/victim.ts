/** A reader that hears the relay through a liar, and somebody who signs whatever it likes. */
import type { ConnectOptions, Session } from '@liaison/client-sdk'
import { type DeliverItem, decodeAck, toHex } from '@liaison/protocol'
import { schemaHash } from '@liaison/schemas'
import { type ComposeOptions, Composer } from './composer.ts'
import type { TestRelay } from './relay.ts'
import { hostileWebSocket, makeReport, openDevice, type Tamper } from './sdk.ts'

/** A device of ML, the SDK itself, whose relay does to every frame what `tamper` says. */
export const openVictim = (
  relay: TestRelay,
  tamper: Tamper = (frame) => [frame],
  options: Partial<ConnectOptions> = {},
): Promise<Session> =>
  openDevice(relay, relay.network.deviceOf('ML'), {
    webSocket: hostileWebSocket(tamper),
    ...options,
  })

/** Changes the items of every deliver frame; each list becomes a frame of its own. */
export const onItems =
  (change: (items: readonly DeliverItem[]) => readonly DeliverItem[][]): Tamper =>
  (frame) =>
    frame.kind === 'deliver' ? change(frame.items).map((items) => ({ ...frame, items })) : [frame]

/** A composer of valid spot reports of BF. */
export function spotReporter(relay: TestRelay): {
  composer: Composer
  next: (body?: object, options?: ComposeOptions) => ReturnType<Composer['seal']>
} {
  const composer = new Composer(relay.network, relay.network.deviceOf('BF'))
  const next = (body?: object, options: ComposeOptions = {}): ReturnType<Composer['seal']> =>
    composer.seal({
      hc: 1,
      body: JSON.stringify(body ?? makeReport(relay.network, 'BF')),
      ...options,
      ctx: { sch: schemaHash('spotrep'), ...options.ctx },
    })
  return { composer, next }
}

/** Numbers of the codes under which readers have told a member that an envelope of it is bad. */
export async function badAcks(relay: TestRelay, core: Uint8Array, code = 'BF'): Promise<number[]> {
  const { log } = relay.running.relay.source
  return (await log.readAcks(relay.network.member(code), 0, 100)).flatMap(({ ack }) => {
    const decoded = decodeAck(ack)
    if (!decoded.ok) throw new Error(decoded.error)
    return (decoded.value.bad ?? []).filter(([c]) => toHex(c) === toHex(core)).map(([, n]) => n)
  })
}
