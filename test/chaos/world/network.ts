import { type Report, schemaHash } from '@liaison/schemas'
import { makeSealingNetwork } from '../../support/epoch-keys.ts'
import { seededKey, type TestNetwork } from '../../support/network.ts'
import { type SeededRandom, seededRandom } from '../../support/seeded-random.ts'

/** What another process needs to make the same network. */
export interface NetworkSpec {
  readonly seed: string
  readonly genesisT: number
  readonly relays: number
}

/** Devices that are suspended and let in again. */
export const victimCount = 3
/** Devices that only connect, many at once. */
export const strangerCount = 12

/** Topic of all reports. */
export const topicName = 'terrorism'

/**
 * The network of a run. BF and ML publish, with the SDK and without; NE and the unit read with the SDK;
 * TD has the devices that are suspended; SN sends nonsense; MR may connect and nothing else.
 */
export function chaosNetwork({ seed, genesisT, relays }: NetworkSpec): TestNetwork {
  const network = makeSealingNetwork({
    seed,
    genesisT,
    fluDevices: 2,
    schemas: [{ name: 'spotrep', hash: schemaHash('spotrep') }],
    members: [
      { code: 'BF', devices: 2 },
      { code: 'ML', devices: 2 },
      { code: 'NE' },
      { code: 'TD', devices: victimCount },
      { code: 'SN' },
      { code: 'MR', devices: strangerCount },
    ],
    topics: [
      {
        name: topicName,
        status: 'exercise',
        grants: {
          BF: { pub: 1, read: 1, hc: 4 },
          ML: { pub: 1, read: 1, hc: 4 },
          NE: { pub: 0, read: 1, hc: 4 },
          TD: { pub: 0, read: 1, hc: 4 },
          SN: { pub: 1, read: 0, hc: 4 },
          FLU: { pub: 1, read: 1, hc: 4 },
        },
      },
    ],
    genesis: {
      relays: Array.from({ length: relays }, (_, i) => ({
        num: i + 1,
        key: relayKeyOf(seed, i + 1),
        // Clients reach every relay of a run under one name.
        origin: '127.0.0.1',
      })),
    },
  })
  return network
}

function relayKeyOf(seed: string, num: number): Uint8Array {
  return seededKey(`${seed} relay ${num}`).publicKey
}

/** Text that stands in every report of a run, and must never be found outside of the devices. */
export const canaryOf = (runName: string): string => `CANARY-${runName}-ONLY-ON-DEVICES`

/** Makes reports with names that no other process or life of a process gives. */
export class ReportMaker {
  readonly #originator: string
  readonly #canary: string
  readonly #random: SeededRandom

  constructor(originator: string, canary: string) {
    this.#originator = originator
    this.#canary = canary
    this.#random = seededRandom(crypto.getRandomValues(new Uint32Array(1))[0])
  }

  make(): Report {
    const hex = Buffer.from(this.#random.bytes(16)).toString('hex')
    const id = `0195a1c0-${hex.slice(0, 4)}-7${hex.slice(4, 7)}-8${hex.slice(7, 10)}-${hex.slice(10, 22)}`
    return {
      type: 'spotrep',
      version: 1,
      meta: {
        id,
        originator: this.#originator,
        issued: new Date().toISOString().replace(/\.\d+Z/, 'Z'),
        msgType: 'alert',
        references: [],
        status: 'exercise',
        precedence: 'routine',
        handling: { tlp: 'GREEN' },
        lang: 'en',
      },
      title: `Report ${hex}`,
      summary: `${this.#canary} ${hex}`,
      activity: { code: 'movement' },
      place: { country: 'ML', precision: 'admin1' },
      time: { from: '2026-11-01T06:00:00Z', precision: 'day' },
    } as unknown as Report
  }
}

/** Makes what is sealed like a report and is none. */
export class NonsenseMaker extends ReportMaker {
  override make(): Report {
    const { meta, summary } = super.make() as unknown as { meta: { id: string }; summary: string }
    return { type: 'spotrep', version: 1, meta, summary: [summary, { deep: [[[1]]] }] } as never
  }
}
