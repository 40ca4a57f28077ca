import { type NetworkId, toHex } from '@liaison/protocol'

/**
 * Names of the keys of one network. All share a hash tag, so that a cluster keeps them in one slot and
 * one function may touch several.
 */
export interface RedisKeys {
  /** What every key of the network begins with. */
  readonly prefix: string
  /** Hash: which network this is. */
  readonly meta: string
  /** Hash: sizes and last positions. */
  readonly numbers: string
  /** Stream: audit leaves, from id 1-0. */
  readonly leaves: string
  /** Stream: directory entries, from id 1-0. */
  readonly directory: string
  /** Hash: core hash -> topic and cursor. */
  readonly cores: string
  /** Hash: hash of an acknowledgement -> index of its leaf. */
  readonly acksSeen: string
  /** Hash: public documents by hash. */
  readonly blobs: string
  /** Hash: relay process -> directory size that it enforces. */
  readonly relays: string
  /** Stream: envelopes of a topic without slots; the id is the cursor. */
  topic(topic: number): string
  /** Stream: slots of the same envelopes; apart, because a delivery needs one of them. */
  slots(topic: number): string
  /** Hash: places of one chain and its head; never trimmed. */
  chain(chain: Uint8Array): string
  /** Hash: random envelope id -> core hash, of one device. */
  ids(device: number): string
  /** Stream: acknowledgements for one member. */
  acks(member: number): string
}

/** The keys of a network: its name is in the hash tag, shortened to 16 bytes. */
export function redisKeys(net: NetworkId): RedisKeys {
  const prefix = `{liaison:${toHex(net.subarray(0, 16))}}:`
  return {
    prefix,
    meta: `${prefix}meta`,
    numbers: `${prefix}numbers`,
    leaves: `${prefix}leaves`,
    directory: `${prefix}directory`,
    cores: `${prefix}cores`,
    acksSeen: `${prefix}acks-seen`,
    blobs: `${prefix}blobs`,
    relays: `${prefix}relays`,
    topic: (topic) => `${prefix}topic:${topic}`,
    slots: (topic) => `${prefix}slots:${topic}`,
    chain: (chain) => `${prefix}chain:${toHex(chain)}`,
    ids: (device) => `${prefix}ids:${device}`,
    acks: (member) => `${prefix}acks:${member}`,
  }
}

/** Field of a place in the hash of its chain. */
export function placeField(inc: number, seq: number): Buffer {
  const field = Buffer.alloc(16)
  field.writeBigUInt64BE(BigInt(inc), 0)
  field.writeBigUInt64BE(BigInt(seq), 8)
  return field
}
