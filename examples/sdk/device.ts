import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect, parseNetworkFile, type Session, sodiumReady } from '@liaison/client-sdk'
import { openKeyFile } from '@liaison/client-sdk/admin'
import { nodeWebSocket, openLmdbStore, readKeyFile } from '@liaison/client-sdk/node'

/**
 * Connects the device whose files `liaison` keeps in a home folder. Close it when done: one program
 * at a time may use a device.
 *
 * @param passphrase Of the key file; null for an unprotected one, which only example networks accept.
 */
export async function openDevice(home: string, passphrase: string | null): Promise<Session> {
  await sodiumReady()
  const network = parseNetworkFile(await readFile(join(home, 'network.json'), 'utf8'))
  const keyFile = await readKeyFile(join(home, 'identity.json'))
  const allowUnprotected = network.directory.example
  const identity = await openKeyFile(keyFile, passphrase, { allowUnprotected })
  const store = await openLmdbStore(join(home, 'store'))
  return connect({ network, identity, store, webSocket: nodeWebSocket })
}
