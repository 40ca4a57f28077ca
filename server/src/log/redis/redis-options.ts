/**
 * What keeps an acknowledged write.
 * `single`: the disk of one server that syncs before it answers. `ha`: that, and copies on so many
 * replicas, checked before each answer; Sentinel names the primary. `cluster`: as `ha`, in the one slot
 * of the network.
 */
export type RedisProfile = 'single' | 'ha' | 'cluster'

/** Address of one server. */
export interface RedisNode {
  readonly host: string
  readonly port: number
}

/** A user of the server. */
export interface RedisUser {
  readonly name: string
  readonly password: string
}

/** Certificates for TLS towards the server, PEM. */
export interface RedisTls {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** How to reach the store. */
export interface RedisOptions {
  readonly profile: RedisProfile
  /** The server itself, the Sentinels, or some nodes of the cluster, by profile. */
  readonly nodes: readonly RedisNode[]
  /** Name of the primary among the Sentinels. */
  readonly primary?: string
  readonly user?: RedisUser
  /** Reads the configuration of the server at start, so that the relay's own user need not. */
  readonly inspector?: RedisUser
  readonly tls?: RedisTls
  /** Replicas that must have a write before it is answered; 0 in the profile `single`. */
  readonly replicas: number
  /** Connections that appends are spread over: each brings about 16 KiB into one sync. */
  readonly writers?: number
}

/** Limits of the connection to the store; unit in the name, reason beside it. */
export const redisLimits = {
  /** Connections for appends unless the configuration says otherwise. */
  writersDefault: 4,
  /** A write or read without an answer by then has an unknown outcome; the connection is renewed. Code: log_unavailable. */
  answerMsMax: 5_000,
  /** Time for the replicas, within the answer. Code: log_unavailable. */
  replicaMsMax: 2_000,
  /** Longest wait of the blocking reader before it asks again; a lost hint costs that much at most. */
  readBlockMs: 1_000,
  /** Audit leaves read at once by the reader. */
  readLeavesMax: 1_024,
  /** Wait before connecting again: first and longest, with jitter. */
  reconnectMsMin: 50,
  reconnectMsMax: 2_000,
  connectMsMax: 5_000,
  /** Time for the first connection when a relay starts. Code: log_unavailable. */
  openMsMax: 15_000,
  /** Appends in one write to the server: bounds the time that others wait behind it. */
  batchMax: 256,
} as const
