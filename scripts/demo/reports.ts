import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Directory } from '@liaison/protocol'
import { handlingCode, type Report } from '@liaison/schemas'
import type { DemoDevice } from './devices.ts'

/** One report to send, and where. */
export interface PlannedReport {
  readonly file: string
  readonly member: string
  readonly topic: string
  readonly to?: readonly string[]
  readonly report: Report
}

/** Who could send a report, and where. */
export interface Senders {
  readonly directory: Directory
  readonly readers: readonly DemoDevice[]
}

/** Reads reports with the plan beside them; without a plan, each file's own fields decide. */
export async function readReports(folder: string, senders: Senders): Promise<PlannedReport[]> {
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
      const member = String(report.meta?.originator)
      return { file: basename(file), member, topic: topicFor(report, member, senders), report }
    }),
  )
}

/** @throws Error naming a file that is not JSON. */
async function readReport(path: string): Promise<Report> {
  const text = await readFile(path, 'utf8')
  try {
    return JSON.parse(text) as Report
  } catch (error) {
    throw new Error(`${path} is not JSON: ${String(error)}`)
  }
}

/** The first topic in which the member may publish the report; empty when there is none. */
function topicFor(report: Report, member: string, { directory, readers }: Senders): string {
  const device = readers.find((d) => d.example.member === member)
  const topic = directory
    .topics()
    .filter(({ schemas }) => schemas.some((n) => directory.schema(n)?.name === report.type))
    .filter(({ status }) => status === report.meta?.status)
    .find(({ num }) => device !== undefined && mayPublish(directory, device.number, num, report))
  return topic?.name ?? ''
}

function mayPublish(directory: Directory, device: number, topic: number, report: Report): boolean {
  try {
    return directory.mayPublish(device, topic, handlingCode(report)) === 'ok'
  } catch {
    // A body without a marking: its submission is refused with the field's name.
    return true
  }
}
