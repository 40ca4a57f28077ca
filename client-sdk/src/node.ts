import { WebSocket } from 'ws'
import type { OpenWebSocket } from './session/transport.ts'

/** One file under a passphrase that holds a device: what a backup is made of and read with. */
export {
  type BackupPart,
  backupChunks,
  type DeviceBackup,
  deviceBackupKind,
  readBackupChunk,
} from './backup/device-backup.ts'
export {
  readSealedFile,
  type SealedFile,
  type SealedInfo,
  sealStream,
} from './backup/sealed-stream.ts'
export { type Restored, settleRestored } from './backup/settle-restored.ts'
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
