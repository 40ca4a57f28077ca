/** A relay that speaks TLS itself: what is promised of sockets holds below it too. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmod, readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { promisify } from 'node:util'
import { relayLimits } from '@liaison/server'
import t from 'tap'
import { Composer } from '../support/composer.ts'
import { startScenario, type TestRelay } from '../support/relay.ts'
import { type TempFolder, tempFolder } from '../support/temp-folder.ts'

/** Makes a certificate of its own for loopback. */
async function certificate(
  folder: TempFolder,
): Promise<{ readonly tlsCert: string; readonly tlsKey: string }> {
  const [tlsCert, tlsKey] = [join(folder.path, 'cert.pem'), join(folder.path, 'key.pem')]
  const args = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'.split(
    ' ',
  )
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
  await promisify(execFile)('openssl', [...args, ...subject, '-keyout', tlsKey, '-out', tlsCert])
  await chmod(tlsKey, 0o600)
  return { tlsCert, tlsKey }
}

interface Secure extends AsyncDisposable {
  readonly relay: TestRelay
  readonly ca: Buffer
}

async function startSecure(): Promise<Secure> {
  const folder = await tempFolder()
  const config = await certificate(folder)
  const relay = await startScenario({}, { config })
  return {
    relay,
    ca: await readFile(config.tlsCert),
    async [Symbol.asyncDispose]() {
      await relay[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

t.test('reports pass, and a suspension resets the TCP socket below', async (t) => {
  await using secure = await startSecure()
  const { relay, ca } = secure
  const { network } = relay
  t.match(relay.url, /^wss:/)
  const publisher = await relay.client(network.deviceOf('BF'), { ca })
  const stolen = network.deviceOf('ML')
  const reader = await relay.client(stolen, { ca })
  reader.subscribe(1, network.topic('terrorism'))
  const composer = new Composer(network, network.deviceOf('BF'))
  t.match(await publisher.publish(composer.seal().envelope), { codes: ['ok'] })
  t.equal((await reader.next('deliver')).items.length, 1)
  const admin = await relay.administrator(3, { ca })
  const entry = network.sign('suspend', { dev: stolen.num, why: 'stolen' }, [3])
  t.match(await admin.append(entry), { codes: ['ok'] })
  t.equal((await reader.ended()).code, 1006, 'cut without a closing word')
})

t.test('an older TLS is refused', async (t) => {
  await using secure = await startSecure()
  const { port } = new URL(secure.relay.url)
  const socket = connectTls({
    host: '127.0.0.1',
    port: Number(port),
    maxVersion: 'TLSv1.2',
    ca: secure.ca,
  })
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  t.match(error.code, /SSL|TLS|ECONNRESET/)
})

t.test('sockets that say nothing end, and one address has only so many', async (t) => {
  await using secure = await startSecure()
  const { relay, ca } = secure
  const port = Number(new URL(relay.url).port)
  const silent: Socket[] = []
  const closed: Promise<unknown>[] = []
  let cut = 0
  for (let i = 0; i < relayLimits.socketsPerAddressMax + 8; i++) {
    // Another address than that of the working client.
    const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' })
    socket.on('error', () => undefined)
    socket.once('close', () => cut++)
    closed.push(once(socket, 'close'))
    await once(socket, 'connect')
    silent.push(socket)
  }
  while (cut < 8) await new Promise((resolve) => setTimeout(resolve, 10))
  t.equal(cut, 8, 'what is over the limit is cut at once')
  const client = await relay.client(relay.network.deviceOf('BF'), { ca })
  await client.barrier()
  await Promise.all(closed)
  t.equal(cut, silent.length, 'the others are cut when the handshake does not come')
  await client.barrier()
})
