import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type ExportedReport,
  type LeftOut,
  selectForExport,
  toCsv,
  toGeoJson,
  toMispFeed,
  toStix,
} from '@liaison/client-sdk/stix'
import { RelayError, toHex } from '@liaison/protocol'
import type { Command } from 'commander'
import { type Context, type Options, type Process, runs } from './context.ts'
import { usage } from './failure.ts'
import { writeTextFile } from './files.ts'
import { knownType, localReports, reportQueryOf } from './local-reports.ts'
import { counted } from './output.ts'

const formats = {
  stix: 'a STIX 2.1 bundle, for OpenCTI and others',
  csv: 'a table, for spreadsheets',
  geojson: 'places on a map (RFC 7946)',
  misp: 'a MISP feed: a folder to poll or to carry on a stick',
} as const

type Format = keyof typeof formats

/** Adds `liaison export`. */
export function addExport(program: Command, from: Process): void {
  const group = program
    .command('export')
    .description('reports of this device for other software, in plain text')
  for (const [name, description] of Object.entries(formats)) {
    const format = name as Format
    const command = group
      .command(name)
      .description(description)
      .argument('[topic...]', 'names of topics; all when absent')
      .option('--type <name>', 'only this type of report')
      .option(
        '--include <types>',
        'types that stay in the network otherwise, separated by commas, such as humanitarian-site',
      )
      .option('--since <date>', 'only reports issued since then')
      .option(
        '--out <path>',
        format === 'misp' ? 'folder to write; needed' : 'file to write instead of stdout',
      )
    if (format === 'stix')
      command.option('--tlp1', 'labels of TLP 1, for software that refuses TLP 2')
    const target = format === 'misp' ? '--out feed' : `--out reports.${format}`
    command.addHelpText('after', `\nExample:\n  $ liaison export ${name} terrorism ${target}\n`)
    runs(command, from, (context, topics, options) =>
      exportReports(context, format, topics, options),
    )
  }
}

async function exportReports(
  context: Context,
  format: Format,
  topics: readonly string[],
  options: Options,
): Promise<void> {
  const out = options.text('out')
  if (format === 'misp' && out === undefined) throw usage('A folder is needed: --out.', 'out')
  const include = (options.commas('include') ?? []).map((type) => knownType(type, 'include'))
  const deliveries = await localReports(context, reportQueryOf(topics, options))
  const items = deliveries.map(({ report, topic, core }) => ({ report, topic, core: toHex(core) }))
  const { leftOut } = selectForExport(items, { include })
  if (format === 'misp') await writeFeed(out ?? '', toMispFeed(items, { include }))
  else {
    const text = textOf(format, items, include, options)
    if (out === undefined) context.out.raw(text)
    // Plain text of sealed reports: nobody else on this machine may read it.
    else await writeTextFile(out, text, { secret: true })
  }
  tell(context, { format, out, count: items.length - leftOut.length, leftOut })
}

function textOf(
  format: Exclude<Format, 'misp'>,
  items: readonly ExportedReport[],
  include: readonly string[],
  options: Options,
): string {
  switch (format) {
    case 'stix': {
      const tlp = options.flag('tlp1') ? '1.0' : '2.0'
      return `${JSON.stringify(toStix(items, { tlp, include }).bundle, null, 2)}\n`
    }
    case 'csv':
      return toCsv(items, { include })
    case 'geojson':
      return `${JSON.stringify(toGeoJson(items, { include }), null, 2)}\n`
  }
}

/** Writes into a new folder, or an empty one: half of an older feed would be read as part of this one. */
async function writeFeed(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if ((await readdir(folder)).length > 0) throw new RelayError('file_exists', { field: folder })
  for (const [name, text] of files) await writeTextFile(join(folder, name), text, { secret: true })
}

function tell(
  context: Context,
  told: {
    readonly format: Format
    readonly out: string | undefined
    readonly count: number
    readonly leftOut: readonly LeftOut[]
  },
): void {
  const { format, out, count, leftOut } = told
  const types = [...new Set(leftOut.map(({ type }) => type))].sort()
  if (out !== undefined) {
    context.out.data({ format, file: out, exported: count, leftOut }, () => [out])
  }
  context.out.say(
    `${counted(count, 'report')} exported${types.length === 0 ? '' : `; ${leftOut.length} left out, which stay in the network unless --include names them: ${types.join(', ')}`}.`,
    'These are plain text now. Handle them as their labels say.',
  )
}
