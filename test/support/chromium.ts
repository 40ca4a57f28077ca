import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { launch, type Page } from 'puppeteer-core'

/** A page with scripts of ours, in a browser of its own. */
export interface TestPage extends AsyncDisposable {
  readonly page: Page
  /** What the page wrote to its console as an error. */
  readonly errors: readonly string[]
}

/** Opens a page on loopback that loads one script. @param script Text of an ES module. */
export async function openPage(executablePath: string, script: string): Promise<TestPage> {
  const server = createServer((request, response) => {
    const isScript = request.url === '/entry.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    // What a workstation would send: no eval, WebAssembly allowed, connections to the relay only.
    response.setHeader(
      'content-security-policy',
      "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src ws://127.0.0.1:*",
    )
    response.end(
      isScript
        ? script
        : '<!doctype html><title>test</title><script type=module src=/entry.js></script>',
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const browser = await launch({
    executablePath,
    // Containers run as root without the sandbox's namespaces.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
  })
  const errors: string[] = []
  const page = await browser.newPage()
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('favicon')) {
      errors.push(message.text())
    }
  })
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  await page.waitForFunction('globalThis.liaison !== undefined')
  return {
    page,
    errors,
    async [Symbol.asyncDispose]() {
      await browser.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
