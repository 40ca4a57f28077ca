import { WebSocket } from 'ws'
import type { OpenWebSocket } from './session/transport.ts'

/** Key files that only their owner can read. */
export { keyFileExists, readKeyFile, writeKeyFile } from './identity/node-identity-files.ts'

/** What Node adds: sockets with the `ws` package, and a store in a folder. */
export { openLmdbStore } from './store/lmdb-store.ts'

/** Opens WebSockets in Node. Compression is off: it would tell something about sealed content. */
export const nodeWebSocket: OpenWebSocket = (url, subprotocol) =>
  new WebSocket(url, subprotocol, {
    perMessageDeflate: false,
    maxPayload: 1024 * 1024,
  }) as unknown as ReturnType<OpenWebSocket>
