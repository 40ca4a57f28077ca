import { type Ctx, type Directory, epochMs, toHex } from '@liaison/protocol'

/** Audiences held in memory; each is a map from device to place. */
const audiencesMax = 1024

/** Devices of one audience. */
export interface AudiencePlaces {
  /** Device number to place in the audience. */
  readonly places: ReadonlyMap<number, number>
  /** The first so many places are those of the FLU. */
  readonly fluCount: number
}

/**
 * Who may have an envelope, worked out again from its header: an accepted header names a directory
 * that is in the log, so the answer is always the one that was admitted.
 */
export class Audiences {
  readonly #directory: Directory
  readonly #known = new Map<string, AudiencePlaces>()

  constructor(directory: Directory) {
    this.#directory = directory
  }

  /** Places of the devices to which an accepted envelope was sealed. */
  of(ctx: Ctx): AudiencePlaces {
    const [mode, , hash] = ctx.aud ?? [2, 0, new Uint8Array()]
    const key = toHex(hash)
    const known = this.#known.get(key)
    if (known !== undefined) return known
    if (mode !== 0 && mode !== 1) return { places: new Map(), fluCount: 0 }
    const audience = this.#directory.audience(
      {
        topic: ctx.top,
        hc: ctx.hc,
        mode,
        t: epochMs(ctx.t),
        ...(ctx.to === undefined ? {} : { to: ctx.to }),
      },
      ctx.dir[0],
    )
    if (!audience.ok) return { places: new Map(), fluCount: 0 }
    const { recipients, fluCount } = audience.value
    const places = new Map(recipients.map(({ dev }, idx) => [dev, idx]))
    const entry = { places, fluCount }
    if (this.#known.size >= audiencesMax) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest)
        break
      }
    }
    this.#known.set(key, entry)
    return entry
  }
}
