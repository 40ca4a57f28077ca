import websocket from '@fastify/websocket'
import type { FastifyInstance, FastifyPluginCallback, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { WebSocket } from 'ws'
import { relayLimits } from '../limits.ts'
import type { Relay } from '../relay.ts'
import { Session } from '../session/session.ts'
import { RawSockets } from './raw-sockets.ts'
import { WsPeer } from './ws-peer.ts'

/** Name and version of the protocol, negotiated in the upgrade. */
export const subprotocol = 'sir.v1.cbor'

/** What the WebSocket door needs. */
export interface WsPluginOptions {
  readonly relay: Relay
  /** Web origins that may connect; loopback origins and clients without an origin always may. */
  readonly origins: readonly string[]
  /** Milliseconds that never go back; for limits and timeouts. */
  readonly monotonic: () => number
  /** From the upgrade to a good signature, ms. */
  readonly authMsMax: number
}

/** The one door for members and administrators: `GET /relay`. */
export const wsPlugin: FastifyPluginCallback<WsPluginOptions> = fp<WsPluginOptions>(
  async (app: FastifyInstance, options: WsPluginOptions) => {
    const rawSockets = new RawSockets(app.server, relayLimits.socketsPerAddressMax)
    const perAddress = new Map<string, number>()
    const sessions = new Set<Session>()

    await app.register(websocket, {
      options: {
        maxPayload: relayLimits.frameBytesMax,
        maxFragments: relayLimits.fragmentsMax,
        perMessageDeflate: false,
        handleProtocols: (offered: Set<string>) => (offered.has(subprotocol) ? subprotocol : false),
      },
      // The relay itself tells its sessions to come back; the default would cut them without a word.
      // Left are those that are not authenticated yet, and they too are told.
      preClose: (done: () => void) => {
        for (const session of sessions) session.end('shutting_down', relayLimits.restartSpreadMs)
        done()
      },
    })

    app.route({
      method: 'GET',
      url: '/relay',
      preValidation: async (request, reply) => {
        const refused = refuseUpgrade(request, options.origins)
        if (refused !== null) return reply.code(refused.status).send({ code: refused.code })
        if (!options.relay.serving()) {
          return reply.code(503).header('retry-after', '2').send({ code: 'log_unavailable' })
        }
        if (options.relay.overloaded()) {
          const seconds = String(relayLimits.overloadedRetryMs / 1000)
          return reply.code(503).header('retry-after', seconds).send({ code: 'overloaded' })
        }
        const here = perAddress.get(request.ip) ?? 0
        if (
          sessions.size >= relayLimits.connectionsMax ||
          here >= relayLimits.connectionsPerAddressMax
        ) {
          return reply.code(503).header('retry-after', '5').send({ code: 'too_many_connections' })
        }
        return undefined
      },
      handler: async (_request, reply) => reply.code(426).send({ code: 'version_unsupported' }),
      wsHandler: (socket: WebSocket, request: FastifyRequest) => {
        // Nothing below may hold on to the request: it is larger than the whole session.
        const { ip } = request
        perAddress.set(ip, (perAddress.get(ip) ?? 0) + 1)
        const peer = new WsPeer(socket, rawSockets.below(request.raw.socket), ip, () =>
          session.writable(),
        )
        const session = new Session(options.relay, peer, options.monotonic, options.authMsMax)
        sessions.add(session)
        // Attached before anything is awaited: frames that came with the upgrade must not be lost.
        socket.on('message', (data: Buffer, isBinary: boolean) => {
          if (isBinary) session.receive(new Uint8Array(data.buffer, data.byteOffset, data.length))
          else peer.closeNotBinary()
        })
        for (const control of ['ping', 'pong']) socket.on(control, () => session.control())
        socket.on('error', () => undefined)
        socket.on('close', () => {
          sessions.delete(session)
          const left = (perAddress.get(ip) ?? 1) - 1
          if (left > 0) perAddress.set(ip, left)
          else perAddress.delete(ip)
          session.closed()
        })
      },
    })
  },
  { name: 'relay-ws', fastify: '5.x' },
)

function refuseUpgrade(
  request: FastifyRequest,
  origins: readonly string[],
): { readonly status: number; readonly code: string } | null {
  const offered = request.headers['sec-websocket-protocol'] ?? ''
  if (!offered.split(',').some((name) => name.trim() === subprotocol)) {
    return { status: 426, code: 'version_unsupported' }
  }
  const { origin } = request.headers
  if (origin === undefined || origins.includes(origin) || isLoopbackOrigin(origin)) return null
  return { status: 403, code: 'origin_refused' }
}

/** The workstation is served on the officer's own machine, on whatever port is free there. */
function isLoopbackOrigin(origin: string): boolean {
  if (!URL.canParse(origin)) return false
  const { hostname } = new URL(origin)
  return hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]'
}
