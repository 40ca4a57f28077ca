import type { ExportedReport, ExportOptions, LeftOut } from './exported-report.ts'

/** Types that stay in the network unless whoever exports names them: needs, camps, meetings, answers. */
const kept: ReadonlySet<string> = new Set([
  'capacity-need',
  'humanitarian-site',
  'meeting',
  'questionnaire',
])

/** Divides reports into those that are exported and those that are left out; the same for every form. */
export function selectForExport(
  items: readonly ExportedReport[],
  { include = [] }: ExportOptions = {},
): { readonly chosen: readonly ExportedReport[]; readonly leftOut: readonly LeftOut[] } {
  const stays = ({ report }: ExportedReport): boolean =>
    kept.has(report.type) && !include.includes(report.type)
  const leftOut = items.filter(stays).map(({ report }) => ({
    id: report.meta.id,
    type: report.type,
    why: 'this type is not exported',
  }))
  return { chosen: items.filter((item) => !stays(item)), leftOut }
}
