import { type ReportName, schemaByName } from '@liaison/schemas'
import type { ClientStore } from '../store/client-store.ts'
import { changeOf, Draft, type DraftValue, readDraft } from './draft.ts'
import { newReportId } from './report-id.ts'

/** Fields of a new draft; `meta` is added to what every report of this device has. */
export type DraftInit = DraftValue & { readonly meta?: DraftValue }

/** The drafts of a device. One object for each, so that two parts of a program do not overwrite each other. */
export class Drafts {
  readonly #store: ClientStore
  readonly #open = new Map<string, Draft>()

  constructor(store: ClientStore) {
    this.#store = store
  }

  /** Begins a draft and keeps it. @param originator Code of the member. @param now ms */
  async compose(
    schema: ReportName,
    init: DraftInit,
    originator: string,
    now: number,
  ): Promise<Draft> {
    const plain = JSON.parse(JSON.stringify(init)) as DraftInit
    const meta = { msgType: 'alert', references: [], ...plain.meta }
    const id = newReportId(now)
    const value = {
      ...plain,
      type: schema,
      version: schemaByName(schema).version,
      meta: { ...meta, id, originator },
    }
    const row = { schema, created: now, value }
    await this.#store.commit([changeOf(id, row)])
    return this.#keep(new Draft(this.#store, id, row))
  }

  /** All drafts, the oldest first. */
  async list(): Promise<readonly Draft[]> {
    const drafts: Draft[] = []
    for (const [id, bytes] of await this.#store.list('drafts')) {
      drafts.push(this.#open.get(id) ?? this.#keep(new Draft(this.#store, id, readDraft(bytes))))
    }
    return drafts.sort((a, b) => a.created - b.created)
  }

  /** The draft with this id, or null. */
  async get(id: string): Promise<Draft | null> {
    const bytes = await this.#store.get('drafts', id)
    if (bytes === null) {
      this.#open.delete(id)
      return null
    }
    return this.#open.get(id) ?? this.#keep(new Draft(this.#store, id, readDraft(bytes)))
  }

  #keep(draft: Draft): Draft {
    this.#open.set(draft.id, draft)
    return draft
  }
}
