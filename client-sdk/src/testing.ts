/**
 * For the tests of programs that embed the SDK: a whole network in one process, without a relay to
 * start, without sockets and without a disk. `@liaison/client-sdk/testing`.
 */
export { TransientStore } from './admin/transient-store.ts'
export { type ManualClock, manualClock } from './testing/manual-clock.ts'
export type { MemoryRelayDeps } from './testing/memory-connection.ts'
export { MemoryRelay } from './testing/memory-relay.ts'
export { TestNetwork, type TestNetworkOptions } from './testing/test-network.ts'
