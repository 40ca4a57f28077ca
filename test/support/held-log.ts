import { type OpenLogOptions, openLog as openRealLog, type RelayLog } from '@liaison/server'

/** A disk that takes nothing for a while: every call of one method waits until it is released. */
export function heldLog(method: 'appendLeaf' | 'getBlob'): {
  readonly openLog: (options: OpenLogOptions) => Promise<RelayLog>
  readonly release: () => void
} {
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
          await gate
          return Reflect.apply(value, log, args)
        }
      },
    })
  return { openLog, release }
}
