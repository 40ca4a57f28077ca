import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { relayLimits } from '../limits.ts'
import { type Check, packChecks } from './batch.ts'
import { loadSign, loadVerify, type Sign, type Verify } from './verify.ts'

interface Waiting {
  readonly check: Check
  readonly resolve: (good: boolean) => void
}

/**
 * Checks signatures without holding up the event loop. A few are checked at once where they are: the
 * way to another thread costs more than a check. From then on they go in batches to worker threads.
 */
export class SignatureChecker implements AsyncDisposable {
  readonly #verify: Verify
  readonly #workers: readonly CheckingWorker[]
  #queue: Waiting[] = []
  #scheduled = false

  /** Signs, in this thread: one signature serves a whole frame of receipts. */
  readonly sign: Sign

  private constructor(verify: Verify, sign: Sign, workers: readonly CheckingWorker[]) {
    this.#verify = verify
    this.sign = sign
    this.#workers = workers
    for (const worker of workers) worker.idle = () => this.#dispatch()
  }

  /** @param threads Worker threads; 0 checks everything in this thread. */
  static async open(threads: number): Promise<SignatureChecker> {
    const [verify, sign] = await Promise.all([loadVerify(), loadSign()])
    const file = workerFile()
    const count = file === null ? 0 : threads
    const workers = Array.from({ length: count }, () => new CheckingWorker(file as URL))
    return new SignatureChecker(verify, sign, workers)
  }

  /** Whether the signature is good. */
  check(check: Check): Promise<boolean> {
    if (this.#workers.length === 0) return Promise.resolve(this.#here(check))
    return new Promise((resolve) => {
      this.#queue.push({ check, resolve })
      if (this.#scheduled) return
      this.#scheduled = true
      // Behind the frames that came in the same turn, so that they share a batch.
      setImmediate(() => {
        this.#scheduled = false
        this.#dispatch()
      })
    })
  }

  #here({ signature, message, publicKey }: Check): boolean {
    return this.#verify(signature, message, publicKey)
  }

  #dispatch(): void {
    const free = this.#workers.filter((worker) => worker.state === 'free')
    const isBusy = this.#workers.some((worker) => worker.state === 'busy')
    // With nobody to ask yet or any more, or too little to be worth asking, they are checked here.
    if (!isBusy && (free.length === 0 || this.#queue.length <= relayLimits.signaturesHereMax)) {
      for (const { check, resolve } of this.#queue.splice(0)) resolve(this.#here(check))
      return
    }
    for (const [at, worker] of free.entries()) {
      if (this.#queue.length === 0) return
      const share = Math.ceil(this.#queue.length / (free.length - at))
      const batch = this.#queue.splice(0, Math.min(share, relayLimits.signatureBatchMax))
      worker.take(batch, (check) => this.#here(check))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.end()))
    for (const { check, resolve } of this.#queue.splice(0)) resolve(this.#here(check))
  }
}

/** The file of the worker beside this one; null in a bundle, which has no second file. */
function workerFile(): URL | null {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const file = new URL(`./worker.${ending}`, import.meta.url)
  return existsSync(fileURLToPath(file)) ? file : null
}

/** One thread, with at most one batch under way. */
class CheckingWorker {
  idle: () => void = () => undefined
  readonly #worker: Worker
  #batch: readonly Waiting[] = []
  #here: (check: Check) => boolean = () => false
  state: 'starting' | 'free' | 'busy' | 'gone' = 'starting'

  constructor(file: URL) {
    this.#worker = new Worker(file)
    // The process may end while a worker waits for work.
    this.#worker.unref()
    this.#worker.on('message', (good: Uint8Array) => this.#answered(good))
    this.#worker.on('error', () => this.#lost())
    this.#worker.on('exit', () => this.#lost())
  }

  /** @param here Checks in this thread what the worker can no longer answer. */
  take(batch: readonly Waiting[], here: (check: Check) => boolean): void {
    this.state = 'busy'
    this.#batch = batch
    this.#here = here
    const bytes = packChecks(batch.map(({ check }) => check))
    this.#worker.postMessage(bytes, [bytes.buffer])
  }

  #answered(good: Uint8Array): void {
    const batch = this.#batch
    this.#batch = []
    this.state = 'free'
    for (const [at, { resolve }] of batch.entries()) resolve(good[at] === 1)
    this.idle()
  }

  /** A thread that died answers nothing; its batch must not be lost with it. */
  #lost(): void {
    const batch = this.#batch
    this.#batch = []
    this.state = 'gone'
    for (const { check, resolve } of batch) resolve(this.#here(check))
    this.idle()
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }
}
