/** What a workstation embeds. Runs in a browser; `./node` adds files and sockets. */
export { sodiumReady } from '@liaison/protocol'
export { type ConnectOptions, connect } from './connect.ts'
export { ContentError } from './content-error.ts'
export type { MemberEntry, Members, Verification } from './directory/members.ts'
export { Draft, type DraftValue } from './drafts/draft.ts'
export type { DraftInit } from './drafts/drafts.ts'
export type { HistoryQuery } from './history.ts'
export type { Identity } from './identity/identity.ts'
export {
  formatNetworkFile,
  type Network,
  type NetworkFile,
  parseNetworkFile,
} from './identity/network-file.ts'
export type { NoticeProof } from './inbox/inbox-row.ts'
export type { Destination } from './outbox/compose.ts'
export type { OutboxItem, OutboxState } from './outbox/outbox-item.ts'
export type { SendProgress } from './outbox/send-progress.ts'
export { type RecipientReceipt, Submission, type SubmissionState } from './outbox/submission.ts'
export type { ReconnectBounds } from './session/backoff.ts'
export type { SessionEvents } from './session/emitter.ts'
export { clientLimits } from './session/limits.ts'
export type { LinkStats } from './session/link-stats.ts'
export type { LogEntry, OnLog } from './session/log.ts'
export { type OpenWebSocket, subprotocol, type WebSocketLike } from './session/transport.ts'
export { Session, type SubmitOptions } from './session.ts'
export {
  type Change,
  type ClientStore,
  type ListQuery,
  type Table,
  tables,
} from './store/client-store.ts'
export { openIndexedDbStore } from './store/indexeddb-store.ts'
export type { Cursor, Delivery, FeedQuery, ReportDelivery, Sender } from './subscription.ts'
export type * from './threads/index.ts'
