/**
 * Completes package-lock.json with the builds for other platforms.
 *
 * Some registries do not offer every platform's build of a package, and npm then leaves those out of
 * the lock file when it is written; `npm ci` on the next machine refuses such a lock file. Which
 * builds exist follows from the package that lists them as optional.
 */

interface LockEntry {
  readonly version?: string
  readonly dev?: boolean
  readonly license?: string
  readonly engines?: object
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

interface Lock {
  readonly packages: Record<string, LockEntry>
}

const platformSuffix =
  /(?<os>android|darwin|freebsd|linux|win32)-(?<cpu>arm64|arm|x64|ia32)(?<musl>-musl)?$/

/** Builds that a package of the lock file lists and the lock file lacks: `[name, version, parent]`. */
function missingBuilds({ packages }: Lock): [string, string, LockEntry][] {
  const paths = Object.keys(packages)
  const has = (name: string) => paths.some((path) => path.endsWith(`node_modules/${name}`))
  return Object.values(packages).flatMap((entry) =>
    Object.entries(entry.optionalDependencies ?? {})
      .filter(([name]) => platformSuffix.test(name) && !has(name))
      .map(([name, version]): [string, string, LockEntry] => [name, version, entry]),
  )
}

/** The names of the builds that are missing. */
export const missingPlatforms = (lockText: string): readonly string[] =>
  missingBuilds(JSON.parse(lockText)).map(([name]) => name)

/** The text of the lock file with every build; the same text when none is missing. */
export function withPlatforms(lockText: string): string {
  const lock: Lock = JSON.parse(lockText)
  const missing = missingBuilds(lock)
  if (missing.length === 0) return lockText
  const packages = { ...lock.packages }
  for (const [name, version, { dev, license, engines }] of missing) {
    const { os, cpu, musl } = platformSuffix.exec(name)?.groups ?? {}
    packages[`node_modules/${name}`] = {
      version,
      ...{ cpu: [cpu] },
      ...(dev === undefined ? {} : { dev }),
      ...(musl === undefined ? {} : { libc: ['musl'] }),
      ...(license === undefined ? {} : { license }),
      ...{ optional: true, os: [os] },
      ...(engines === undefined ? {} : { engines }),
    }
  }
  const sorted = Object.keys(packages).sort((a, b) => a.localeCompare(b, 'en'))
  const ordered = Object.fromEntries(sorted.map((path) => [path, packages[path]]))
  return `${JSON.stringify({ ...lock, packages: ordered }, null, 2)}\n`
}
