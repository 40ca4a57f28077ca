import type { ErrorCode } from '@liaison/protocol'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** Figures that are read at the moment of a scrape. */
export interface MetricSources {
  /** Authenticated sessions. */
  connections(): number
  /** Deliver frames that were sent and not yet given back as credit. */
  outstandingDeliveries(): number
  /** Leaves of the audit log. */
  auditLeaves(): number
  /** Lateness of the event loop, p99 of the last look, ms. */
  loopDelayMs(): number
}

/** Seconds from 1 ms to half a minute: disks, then satellite links. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/**
 * What the operator's door counts, in base units. Nothing here names a member or a device: who talks
 * when is for the audit log, whose readers are recorded.
 */
export class Metrics {
  readonly #registry = new Registry()
  readonly #accepted: Counter
  readonly #refused: Counter<'code'>
  readonly #append: Histogram
  readonly #delivery: Histogram
  readonly #bytes: Counter<'direction'>
  readonly #suspensions: Counter
  readonly #suspend: Histogram

  constructor(version: string) {
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry })
    this.#accepted = new Counter({
      name: 'liaison_envelopes_accepted_total',
      help: 'Envelopes accepted, repetitions not counted.',
      registers,
    })
    this.#refused = new Counter({
      name: 'liaison_envelopes_refused_total',
      help: 'Envelopes refused, by error code.',
      labelNames: ['code'],
      registers,
    })
    this.#append = new Histogram({
      name: 'liaison_append_seconds',
      help: 'From handing an admitted envelope to the log until it is durable.',
      buckets,
      registers,
    })
    this.#delivery = new Histogram({
      name: 'liaison_delivery_seconds',
      help: 'From acceptance to the socket, for readers that had nothing older to receive.',
      buckets,
      registers,
    })
    this.#bytes = new Counter({
      name: 'liaison_bytes_total',
      help: 'Bytes of frames, without WebSocket and TLS.',
      labelNames: ['direction'],
      registers,
    })
    this.#suspensions = new Counter({
      name: 'liaison_suspensions_total',
      help: 'Directory entries after which at least one socket was reset.',
      registers,
    })
    this.#suspend = new Histogram({
      name: 'liaison_suspend_seconds',
      help: 'From the arrival of such an entry until it was in force and its sockets were reset.',
      buckets,
      registers,
    })
    new Gauge({
      name: 'liaison_build_info',
      help: 'Always 1; the version is the label.',
      labelNames: ['version'],
      registers,
    }).set({ version }, 1)
    for (const direction of ['in', 'out']) this.#bytes.inc({ direction }, 0)
  }

  /** Reads these figures at each scrape. Called once. */
  watch(sources: MetricSources): void {
    const registers = [this.#registry]
    const gauge = (name: string, help: string, read: () => number): Gauge =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read())
        },
      })
    gauge('liaison_connections', 'Authenticated sessions.', () => sources.connections())
    gauge(
      'liaison_outstanding_deliveries',
      'Deliver frames sent and not yet taken in by their readers.',
      () => sources.outstandingDeliveries(),
    )
    gauge(
      'liaison_loop_delay_seconds',
      'Lateness of the event loop, 99th percentile of the last second.',
      () => sources.loopDelayMs() / 1000,
    )
    new Counter({
      name: 'liaison_audit_leaves_total',
      help: 'Leaves of the audit log since it began.',
      registers,
      collect() {
        this.reset()
        this.inc(sources.auditLeaves())
      },
    })
  }

  accepted(): void {
    this.#accepted.inc()
  }

  refused(code: ErrorCode): void {
    this.#refused.inc({ code })
  }

  appended(ms: number): void {
    this.#append.observe(ms / 1000)
  }

  delivered(ms: number): void {
    this.#delivery.observe(Math.max(0, ms) / 1000)
  }

  received(bytes: number): void {
    this.#bytes.inc({ direction: 'in' }, bytes)
  }

  sent(bytes: number): void {
    this.#bytes.inc({ direction: 'out' }, bytes)
  }

  suspended(ms: number): void {
    this.#suspensions.inc()
    this.#suspend.observe(ms / 1000)
  }

  /** Media type of {@link text}. */
  get contentType(): string {
    return this.#registry.contentType
  }

  /** Everything in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }
}
