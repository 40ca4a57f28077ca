import type { DirectoryPage } from '@liaison/protocol'
import type { LocalDirectory } from '../directory/local-directory.ts'
import type { Members } from '../directory/members.ts'
import type { Emitter, SessionEvents } from './emitter.ts'
import type { Link } from './link.ts'

/** What following the directory needs. */
export interface DirectorySyncDeps {
  readonly local: LocalDirectory
  readonly members: Members
  readonly events: Emitter<SessionEvents>
  /** Called after entries were taken in; the next page waits for it. */
  readonly onGrown: (link: Link) => Promise<void>
}

/** Brings this device's copy of the directory up to the relay's, and tells what changed. */
export class DirectorySync {
  readonly #deps: DirectorySyncDeps

  constructor(deps: DirectorySyncDeps) {
    this.#deps = deps
  }

  /** Asks for what is missing and takes it in. */
  async sync(link: Link): Promise<void> {
    const from = this.#deps.local.directory.size
    const { page } = await link.request({ kind: 'dir-want', from }, 'dir')
    await this.apply(link, page)
  }

  /** Takes a page in, and asks for those after it. */
  async apply(link: Link, first: DirectoryPage): Promise<void> {
    let page = first
    for (;;) {
      const { applied, wantFrom } = await this.#deps.local.apply(page)
      for (const entry of applied) this.#announce(entry.change)
      if (applied.length > 0) await this.#deps.onGrown(link)
      if (wantFrom === null) return
      page = (await link.request({ kind: 'dir-want', from: wantFrom }, 'dir')).page
    }
  }

  #announce(change: { readonly what: string; readonly [key: string]: unknown }): void {
    const { events, local, members } = this.#deps
    const emit = (n: unknown, what: SessionEvents['key-changed']['what']): void => {
      const device = typeof n === 'number' ? n : 0
      const { directory } = local
      const mem = directory.device(device)?.mem
      const member = mem === undefined ? null : (directory.member(mem)?.code ?? null)
      const verified = members.hasVerified(device)
      events.emit('key-changed', { device, member, what, verified })
    }
    if (change.what === 'device') emit(change['num'], 'enrolled')
    else if (change.what === 'keys') emit(change['dev'], 'keys')
    else if (change.what === 'standing' && change['of'] === 'dev') {
      const state = change['state']
      const what = state === 'active' ? 'resumed' : state === 'revoked' ? 'revoked' : 'suspended'
      emit(change['num'], what)
    }
  }
}
