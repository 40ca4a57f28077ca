/** How a renewal ended. */
export type Renewal = 'renewed' | { readonly behind: number }

/** A relay process that holds a lease, or held one: its name, and a text that changes with each renewal. */
export type Holder = readonly [instance: string, seen: string]

/**
 * Where relays that share a log say which directory each of them enforces. The log gives a lease only
 * for its newest directory; how long it lasts is counted by the holders, on their own monotonic clocks.
 */
export interface ViewLeases {
  /** @throws RelayError `log_unavailable`: take it for not renewed. */
  renew(instance: string, applied: number): Promise<Renewal>
  /** All holders that are written down, and the directory size that each enforces. */
  holders(): Promise<readonly (readonly [Holder, number])[]>
  /** Strikes out a relay that ended, or one that was seen as `seen` and has not renewed since. */
  leave(instance: string, seen?: string): Promise<void>
  /** How long this process has been connected to the same server without a break, ms. */
  upMs(): number
}
