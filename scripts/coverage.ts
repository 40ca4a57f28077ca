/**
 * Line coverage per workspace, from the report that tap leaves behind.
 *
 * A source file that no test loads does not occur in the report; it counts as uncovered here, else
 * the figure would rise when tests are deleted.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { transform } from 'esbuild'

/** Least share of covered lines in percent, by folder of sources. */
export const thresholds: Readonly<Record<string, number>> = {
  'protocol/src': 90,
  'protocol/seal/src': 90,
  'server/src': 80,
  'client-sdk/src': 80,
}

/** Coverage of one folder of sources. */
export interface FolderCoverage {
  readonly folder: string
  readonly lines: number
  readonly covered: number
  /** `covered` of `lines`; 100 for a folder without code. */
  readonly percent: number
  /** Least permitted percentage. */
  readonly wanted: number
  /** Files in which lines are missing, worst first. */
  readonly missing: readonly { readonly file: string; readonly lines: readonly number[] }[]
}

/** The part of Istanbul's report format that is used here. */
export interface CoverageEntry {
  readonly path: string
  readonly statementMap: Readonly<Record<string, { readonly start: { readonly line: number } }>>
  readonly s: Readonly<Record<string, number>>
}

/** A report: one entry per file that was loaded. */
export type CoverageReport = Readonly<Record<string, CoverageEntry>>

async function sourceFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.split(sep).includes('generated'))
    .sort()
}

/** Lines of a file and how often each ran, from its statements. */
export function lineHits(entry: CoverageEntry): Map<number, number> {
  const hits = new Map<number, number>()
  for (const [id, { start }] of Object.entries(entry.statementMap)) {
    hits.set(start.line, Math.max(hits.get(start.line) ?? 0, entry.s[id] ?? 0))
  }
  return hits
}

/** A file that holds only types leaves nothing to run. */
async function hasCode(text: string): Promise<boolean> {
  const { code } = await transform(text, { loader: 'ts', format: 'esm', minifyWhitespace: true })
  return code.trim() !== ''
}

async function hitsOf(
  path: string,
  entry: CoverageEntry | undefined,
): Promise<Map<number, number>> {
  if (entry !== undefined) return lineHits(entry)
  const text = await readFile(path, 'utf8')
  if (!(await hasCode(text))) return new Map()
  return new Map(
    text
      .trimEnd()
      .split('\n')
      .map((_, index) => [index + 1, 0]),
  )
}

/** Adds up one folder of the repository at `root`. */
export async function folderCoverage(
  root: string,
  folder: string,
  wanted: number,
  report: CoverageReport,
): Promise<FolderCoverage> {
  const byPath = new Map(Object.values(report).map((entry) => [entry.path, entry]))
  const missing: { file: string; lines: number[] }[] = []
  let lines = 0
  let covered = 0
  for (const path of await sourceFiles(join(root, folder))) {
    const hits = await hitsOf(path, byPath.get(path))
    const without = [...hits].filter(([, count]) => count === 0).map(([line]) => line)
    lines += hits.size
    covered += hits.size - without.length
    if (without.length > 0) missing.push({ file: relative(root, path), lines: without })
  }
  missing.sort((a, b) => b.lines.length - a.lines.length)
  const percent = lines === 0 ? 100 : (100 * covered) / lines
  return { folder, lines, covered, percent, wanted, missing }
}

/** Every folder of `thresholds`. */
export async function repositoryCoverage(
  root: string,
  reportFile: string,
): Promise<FolderCoverage[]> {
  const report: CoverageReport = JSON.parse(await readFile(reportFile, 'utf8'))
  return await Promise.all(
    Object.entries(thresholds).map(([folder, wanted]) =>
      folderCoverage(root, folder, wanted, report),
    ),
  )
}
