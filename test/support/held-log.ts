import { type OpenLogOptions, openLog as openRealLog, type RelayLog } from '@liaison/server'

/**
 * A disk that takes nothing for a while: every call of one method waits until it is released.
 *
 * @param held `call`: nothing is done before that. `answer`: it is done, and only the answer waits.
 */
export function heldLog(
  method: 'accept' | 'appendLeaf' | 'getBlob',
  held: 'call' | 'answer' = 'call',
): {
  /** Calls of the method so far. */
  readonly calls: () => number
  readonly openLog: (options: OpenLogOptions) => Promise<RelayLog>
  readonly release: () => void
} {
  let calls = 0
  let release: () => void = () => undefined
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  const openLog = async (options: OpenLogOptions): Promise<RelayLog> =>
    new Proxy(await openRealLog(options), {
      get(log, name) {
        const value: unknown = Reflect.get(log, name)
        if (typeof value !== 'function') return value
        if (name !== method) return value.bind(log)
        return async (...args: unknown[]): Promise<unknown> => {
          calls++
          if (held === 'call') await gate
          const answer: unknown = await Reflect.apply(value, log, args)
          await gate
          return answer
        }
      },
    })
  return { calls: () => calls, openLog, release }
}
