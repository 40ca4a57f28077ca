import { readdir, readFile } from 'node:fs/promises'
import type { Report } from '@liaison/schemas'

const folder = new URL('../../examples/reports/', import.meta.url)

/** All reports of `examples/reports/`, in the order of their names. */
export async function exampleReports(): Promise<Report[]> {
  const names = (await readdir(folder)).filter((name) => /^\d+-.*\.json$/.test(name)).sort()
  return Promise.all(
    names.map(async (name) => JSON.parse(await readFile(new URL(name, folder), 'utf8')) as Report),
  )
}
