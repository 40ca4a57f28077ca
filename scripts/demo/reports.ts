import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Report } from '@liaison/schemas'

/** One report to send, and where. */
export interface PlannedReport {
  readonly file: string
  readonly member: string
  readonly topic: string
  readonly to?: readonly string[]
  readonly report: Report
}

/** Reads reports with the plan beside them; without a plan, each file's own fields decide. */
export async function readReports(
  folder: string,
  topicFor: (type: string) => string,
): Promise<PlannedReport[]> {
  const planText = await readFile(join(folder, 'plan.json'), 'utf8').catch(() => null)
  if (planText !== null) {
    const plan = JSON.parse(planText) as Omit<PlannedReport, 'report'>[]
    return Promise.all(
      plan.map(async (row) => ({ ...row, report: await readReport(join(folder, row.file)) })),
    )
  }
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort()
  return Promise.all(
    files.map(async (file) => {
      const report = await readReport(join(folder, file))
      return {
        file: basename(file),
        member: report.meta.originator,
        topic: topicFor(report.type),
        report,
      }
    }),
  )
}

const readReport = async (path: string): Promise<Report> =>
  JSON.parse(await readFile(path, 'utf8')) as Report
