/**
 * What administrators do: enrolment, statements that are passed on and signed, the founding of a
 * network, and the connection that appends them. `@liaison/client-sdk/admin`.
 */
export {
  type AdminConnectOptions,
  AdminSession,
  connectAsAdministrator,
  type LeafPage,
} from './admin/admin-session.ts'
export {
  bootstrapStatements,
  type NetworkDescription,
  nextBootstrap,
  parseNetworkDescription,
} from './admin/bootstrap.ts'
export {
  type DraftStanding,
  draftEnrol,
  draftGrant,
  draftMember,
  draftPolicy,
  draftQuorum,
  draftResume,
  draftRevoke,
  draftSchema,
  draftSuspend,
  draftTopic,
  type EnrolDecision,
} from './admin/drafts.ts'
export { draftGenesis, finishGenesis } from './admin/genesis.ts'
export {
  formatGenesisPlan,
  type GenesisPlan,
  type PlanProblem,
  parseGenesisPlan,
} from './admin/genesis-plan.ts'
export { adminLabel, deviceLabel, memberLabel, topicLabel } from './admin/labels.ts'
export { reviewStatement, type StatementReview, statementProgress } from './admin/review.ts'
export {
  type CutDevice,
  planRevocation,
  type RevocationPlan,
  type RevocationTarget,
  type TopicLoss,
} from './admin/revocation-plan.ts'
export {
  entryOf,
  formatStatementFile,
  mergeStatementFiles,
  parseStatementFile,
  type StatementFile,
  signStatementFile,
} from './admin/statement-file.ts'
export {
  type EnrolmentInput,
  type EnrolmentRequest,
  formatEnrolmentRequest,
  makeEnrolmentRequest,
  type NewEnrolment,
  parseEnrolmentRequest,
  requestFingerprint,
} from './identity/enrolment.ts'
export type { Identity } from './identity/identity.ts'
export { keepEnrolment } from './identity/keep-enrolment.ts'
export {
  encryptKeyFile,
  type KeyFileInfo,
  type KeyFileOptions,
  newIdentity,
  openKeyFile,
  readKeyFileInfo,
} from './identity/key-file.ts'
export {
  formatNetworkFile,
  type Network,
  type NetworkFile,
  parseNetworkFile,
} from './identity/network-file.ts'
