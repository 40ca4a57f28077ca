import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Report } from '@liaison/schemas'

/** Texts shorter than this occur by chance. */
const canaryLengthMin = 24

/** ... and longer ones need not match as a whole. */
const canaryLengthMax = 48

/** Enough to notice a report, few enough to search quickly. */
const canariesPerReport = 4

/** Overlap of two chunks, bytes: longer than any pattern looked for. */
const overlapBytes = 4096

/** What a search found. */
export interface ScanResult {
  readonly bytesScanned: number
  /** Patterns found, each once per place. */
  readonly hits: number
}

/** The longest texts of each report: what may not be anywhere on the relay, in any form it could take there. */
export function canariesOf(reports: readonly Report[]): string[] {
  return reports.flatMap((report) => {
    const texts = new Set<string>()
    const walk = (value: unknown): void => {
      if (typeof value === 'string' && value.length >= canaryLengthMin) texts.add(value)
      else if (Array.isArray(value)) value.forEach(walk)
      else if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk)
    }
    walk(report)
    return [...texts]
      .sort((x, y) => y.length - x.length)
      .slice(0, canariesPerReport)
      .map((text) => text.slice(0, canaryLengthMax))
  })
}

/** Raw UTF-8, hexadecimal, and base64 in its three alignments. */
function patternsOf(canary: string): Buffer[] {
  const raw = Buffer.from(canary, 'utf8')
  const aligned = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), raw]).toString('base64')
    // Letters at both ends depend on what stands before and after.
    return Buffer.from(text.slice(4, Math.floor(text.length / 4) * 4 - 4), 'latin1')
  })
  return [raw, Buffer.from(raw.toString('hex'), 'latin1'), ...aligned]
}

/** Looks for canaries in all files below the given paths. */
export async function scan(
  paths: readonly string[],
  canaries: readonly string[],
): Promise<ScanResult> {
  const patterns = canaries.flatMap(patternsOf)
  let bytesScanned = 0
  let hits = 0
  for (const path of paths) {
    let tail = Buffer.alloc(0)
    for await (const chunk of createReadStream(path, { highWaterMark: 4 * 1024 * 1024 })) {
      const data = Buffer.concat([tail, chunk as Buffer])
      bytesScanned += (chunk as Buffer).length
      for (const pattern of patterns) if (data.includes(pattern)) hits++
      tail = data.subarray(Math.max(0, data.length - overlapBytes))
    }
  }
  return { bytesScanned, hits }
}

/** All files in a folder. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name))
}
