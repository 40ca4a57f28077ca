import type { FastifyInstance, FastifyPluginCallback } from 'fastify'
import fp from 'fastify-plugin'
import type { Metrics } from '../metrics.ts'

/** What the operator's door shows. */
export interface OperatorPluginOptions {
  /** What the relay waits for before it can serve; empty means ready. */
  readonly waitingFor: () => readonly string[]
  /** Whether this process can still do its work; otherwise it must be started again. */
  readonly alive: () => boolean
  readonly metrics: Metrics
}

/** Liveness, readiness and figures, on a port of their own that is not for members. */
export const operatorPlugin: FastifyPluginCallback<OperatorPluginOptions> =
  fp<OperatorPluginOptions>(
    async (app: FastifyInstance, { waitingFor, alive, metrics }: OperatorPluginOptions) => {
      app.get('/livez', async (_request, reply) =>
        reply.code(alive() ? 200 : 503).send({ live: alive() }),
      )
      app.get('/readyz', async (_request, reply) => {
        const waiting = waitingFor()
        return reply
          .code(waiting.length === 0 ? 200 : 503)
          .send({ ready: waiting.length === 0, waitingFor: waiting })
      })
      app.get('/metrics', async (_request, reply) =>
        reply.type(metrics.contentType).send(await metrics.text()),
      )
    },
    { name: 'operator', fastify: '5.x' },
  )
