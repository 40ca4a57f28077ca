/** Stops a stolen device at once, as one administrator may: suspend.ts NETWORK KEYFILE ADMIN DEVICE WHY */
import { readFile } from 'node:fs/promises'
import { parseNetworkFile, sodiumReady } from '@liaison/client-sdk'
import * as admin from '@liaison/client-sdk/admin'
import { nodeWebSocket, readKeyFile } from '@liaison/client-sdk/node'
import { systemClock } from '@liaison/protocol'

const [networkFile = '', keyFile = '', number = '', device = '', why = ''] = process.argv.slice(2)
await sodiumReady()
const network = parseNetworkFile(await readFile(networkFile, 'utf8'))
const protection = { allowUnprotected: network.directory.example }
const identity = await admin.openKeyFile(await readKeyFile(keyFile), null, protection)
const [url = ''] = network.relays
const me = { url, network, identity, admin: Number(number), webSocket: nodeWebSocket }
using session = await admin.connectAsAdministrator(me)

const { directory } = session
const target = { dev: Number(device) }
const plan = admin.planRevocation(directory, target, systemClock())
console.log(`${plan.label}: cuts off ${plan.devices.length} device`)
const draft = admin.draftSuspend(directory, { ...target, why }, systemClock())
const signed = admin.signStatementFile(draft, directory, me.admin, identity.signingKey)
console.log(`in force, entry ${(await session.append(signed)).index} of the directory`)
