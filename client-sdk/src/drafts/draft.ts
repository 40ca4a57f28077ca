import { RelayError, textOf, utf8 } from '@liaison/protocol'
import { decodeCbor, encodeCbor } from '@liaison/protocol/internal'
import type { Problem, ReportName } from '@liaison/schemas'
import type { Change, ClientStore } from '../store/client-store.ts'
import { loadValidators } from '../validators.ts'
import { withValueAt } from './json-pointer.ts'

/** A report that is being written, as an object of JSON. */
export type DraftValue = Readonly<Record<string, unknown>>

/** What is stored of a draft. */
export interface DraftRow {
  readonly schema: ReportName
  /** When it was begun, ms. */
  readonly created: number
  readonly value: DraftValue
}

/** Fields that make a draft the one it is. */
const fixed = ['/type', '/version', '/meta/id']

/**
 * A report that is being written. Every change is kept on this machine before its promise resolves,
 * whether or not the content is valid yet; `submit` takes it out of the drafts.
 */
export class Draft {
  /** `meta.id` of the report that it will be. */
  readonly id: string
  readonly schema: ReportName
  /** When it was begun, ms. */
  readonly created: number
  readonly #store: ClientStore
  #value: DraftValue
  #gone = false
  /** Changes are made one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  /** Use `session.compose` or `session.drafts`. */
  constructor(store: ClientStore, id: string, row: DraftRow) {
    this.#store = store
    this.id = id
    this.schema = row.schema
    this.created = row.created
    this.#value = row.value
  }

  /** A copy of what was written so far. */
  get value(): DraftValue {
    return structuredClone(this.#value)
  }

  /**
   * Sets one field, or removes it with `undefined`, keeps the draft, and checks the field.
   *
   * @param pointer JSON pointer such as `/meta/handling/tlp`; missing objects on the way are made.
   * @returns What is wrong at this place or below it now; empty when nothing is.
   * @throws RelayError `content_invalid` when the pointer leads nowhere or to `type`, `version` or
   * `meta.id`; `item_unknown` after the draft was submitted or discarded.
   */
  set(pointer: string, value: unknown): Promise<readonly Problem[]> {
    return this.#next(async () => {
      if (fixed.some((path) => path === pointer || path.startsWith(`${pointer}/`))) {
        throw new RelayError('content_invalid', { field: pointer })
      }
      const plain: unknown = value === undefined ? undefined : JSON.parse(JSON.stringify(value))
      const changed = withValueAt(this.#value, pointer, plain)
      await this.#store.commit([changeOf(this.id, { ...this, value: changed })])
      this.#value = changed
      return this.problems(pointer)
    })
  }

  /**
   * What keeps it from being sent, as far as the report itself goes; rights and recipients are judged
   * by `submit`.
   *
   * @param pointer Only what is wrong at this place or below it.
   */
  async problems(pointer = ''): Promise<readonly Problem[]> {
    const { validateAs } = await loadValidators()
    const checked = validateAs(this.schema, this.value)
    return checked.ok ? [] : checked.problems.filter((one) => isWithin(one.pointer, pointer))
  }

  /** Removes it for good. */
  discard(): Promise<void> {
    return this.#next(async () => {
      await this.#store.commit([removalOf(this.id)])
      this.#gone = true
    })
  }

  /**
   * Hands the content over to whoever keeps it elsewhere. Internal: `submit` calls it.
   *
   * @param keep Is given the content and the change that ends the draft, to be written in one step;
   * when it throws, the draft stays.
   */
  handOver<T>(keep: (value: DraftValue, end: Change) => Promise<T>): Promise<T> {
    return this.#next(async () => {
      const kept = await keep(this.value, removalOf(this.id))
      this.#gone = true
      return kept
    })
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(() => {
      if (this.#gone) throw new RelayError('item_unknown', { field: this.id })
      return work()
    })
    this.#turn = mine.catch(() => undefined)
    return mine
  }
}

const isWithin = (pointer: string, of: string): boolean =>
  pointer === of || pointer.startsWith(`${of}/`)

/** The change that keeps a draft. */
export const changeOf = (id: string, { schema, created, value }: DraftRow): Change => ({
  table: 'drafts',
  key: id,
  value: encodeCbor([schema, created, utf8(JSON.stringify(value))]),
})

const removalOf = (id: string): Change => ({ table: 'drafts', key: id, value: null })

/** Reads a row that this release wrote. */
export function readDraft(bytes: Uint8Array): DraftRow {
  const decoded = decodeCbor(bytes)
  if (!decoded.ok) throw new RelayError('store_unavailable', { field: 'drafts' })
  const [schema, created, text] = decoded.value as unknown as readonly [
    ReportName,
    number,
    Uint8Array,
  ]
  return { schema, created, value: JSON.parse(textOf(text)) as DraftValue }
}
