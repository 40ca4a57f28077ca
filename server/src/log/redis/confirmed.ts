/** Highest positions that are safe by the rule of the profile. Reads go no further. */
export class Confirmed {
  directory = 0
  leaves = 0
  readonly topics: Map<number, number> = new Map()
  readonly acks: Map<number, number> = new Map()

  /** Takes over what grew, as the functions say it. @returns what of it is news. */
  raise(grew: string): Growth[] {
    const news: Growth[] = []
    for (const one of grew === '' ? [] : grew.split(' ')) {
      const [kind, a, b] = one.split(':')
      if (kind === 'd' && Number(a) > this.directory) {
        this.directory = Number(a)
        news.push({ kind: 'directory' })
      } else if (kind === 't' && raiseIn(this.topics, Number(a), Number(b))) {
        news.push({ kind: 'topic', number: Number(a) })
      } else if (kind === 'a' && raiseIn(this.acks, Number(a), Number(b))) {
        news.push({ kind: 'acks', number: Number(a) })
      }
    }
    return news
  }

  raiseLeaves(size: number): void {
    if (size > this.leaves) this.leaves = size
  }
}

/** Something that a reader may be waiting for. */
export type Growth =
  | { readonly kind: 'directory' }
  | { readonly kind: 'topic' | 'acks'; readonly number: number }

function raiseIn(heads: Map<number, number>, key: number, position: number): boolean {
  if (position <= (heads.get(key) ?? 0)) return false
  heads.set(key, position)
  return true
}
