/**
 * Makes the example network of 2013 from its printed seed: everybody can compute these keys, so
 * nobody may ever use them. Statements and weekly keys are signed at each run, as in a real network.
 */
import { readFile } from 'node:fs/promises'
import {
  type GenesisPlan,
  type Identity,
  type NetworkDescription,
  parseNetworkDescription,
} from '@liaison/client-sdk/admin'
import { type SigningKey, sha256, signingKeyFromSeed, toBase64url, utf8 } from '@liaison/protocol'

/** One device of the example network. */
export interface ExampleDevice {
  readonly id: string
  /** Code of the member. */
  readonly member: string
  readonly label: string
  readonly role: 'officer' | 'analyst' | 'administrator'
  readonly clearance: number
  /** Part that the device plays in the demonstration, if it has one. */
  readonly demo?: 'offline' | 'revoke'
}

interface NetworkData {
  readonly name: string
  readonly seed: string
  readonly administrators: readonly {
    readonly num: number
    readonly org: string
    readonly name: string
  }[]
  readonly thresholds: { readonly m: number; readonly r: number }
  readonly flu: readonly string[]
  readonly devices: readonly ExampleDevice[]
}

/** The example network before its first statement is signed. */
export interface ExampleNetwork {
  readonly plan: GenesisPlan
  readonly description: NetworkDescription
  readonly devices: readonly ExampleDevice[]
  /** Keys of the administrators by number. */
  readonly administrators: ReadonlyMap<number, Identity>
  /** Text of the relay's key file. */
  readonly relayKeys: string
  identityOf(device: ExampleDevice): Identity
}

/** Origin under which the directory lists the relay of the example. */
const relayOrigin = 'relay.nouakchott.example'

/** Freshness that a network without witnesses can have: none is needed, ms. */
const dayMs = 24 * 3600 * 1000

/** Reads the description and derives all keys. `sodiumReady` must have been awaited. */
export async function exampleNetwork(
  file: URL = new URL('network.json', import.meta.url),
): Promise<ExampleNetwork> {
  const text = await readFile(file, 'utf8')
  const data = JSON.parse(text) as NetworkData
  const seed = (name: string): Uint8Array => sha256(utf8(`${data.seed}/${name}`))
  const key = (name: string): SigningKey => signingKeyFromSeed(seed(name))
  const identity = (kind: Identity['kind'], name: string): Identity => ({
    kind,
    signingKey: key(name),
    storageKey: seed(`${name}/storage`),
  })
  const administrators = new Map(
    data.administrators.map(({ num }) => [num, identity('administrator', `admin/${num}`)]),
  )
  const plan: GenesisPlan = {
    name: data.name,
    administrators: data.administrators.map((a) => ({
      ...a,
      key: key(`admin/${a.num}`).publicKey,
    })),
    ...data.thresholds,
    relays: [{ num: 1, key: key('relay/1').publicKey, origin: relayOrigin }],
    logs: { dir: key('log/dir').publicKey, audit: key('log/audit').publicKey },
    flu: data.flu,
    freshness: { maxAge: dayMs, need: { flu: 0, admin: 0, witness: 0 } },
    recallHold: 0,
    cosigners: [],
    example: true,
  }
  return {
    plan,
    description: parseNetworkDescription(text),
    devices: data.devices,
    administrators,
    relayKeys: JSON.stringify({
      v: 1,
      number: 1,
      relay: toBase64url(seed('relay/1')),
      dirLog: toBase64url(seed('log/dir')),
      auditLog: toBase64url(seed('log/audit')),
    }),
    identityOf: (device) => identity('device', `device/${device.id}`),
  }
}
