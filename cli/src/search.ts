import type { Command } from 'commander'
import { type Context, type Options, type Process, runs } from './context.ts'
import { deliveryLines, deliveryObject } from './delivery-view.ts'
import { openSession } from './device-access.ts'
import { usage } from './failure.ts'
import { localReports, reportQueryOf } from './local-reports.ts'
import { counted } from './output.ts'

/** Adds `liaison search`. */
export function addSearch(program: Command, from: Process): void {
  const search = program
    .command('search')
    .description('reports of this device in which all the words occur; nothing leaves the machine')
    .argument(
      '<word...>',
      'words or parts of words, in any language; accents and case do not count',
    )
    .option('--type <name>', 'only this type of report')
    .option('--since <date>', 'only reports issued since then')
    .option('--limit <n>', 'at most so many, the newest ones', '50')
    .addHelpText('after', '\nExample:\n  $ liaison search kidal explosif --type spotrep\n')
  runs(search, from, searchReports)
}

/**
 * Letters as people search for them: without case, accents, Arabic vowel marks and lengthening, and
 * with one form of alef.
 */
export const folded = (text: string): string =>
  text
    .normalize('NFKD')
    .replaceAll(/[\p{M}\u0640]/gu, '')
    .replaceAll(/[\u0622\u0623\u0625\u0671]/g, '\u0627')
    .toLowerCase()

/** Whether all words occur somewhere in the texts of a report. */
export function matches(report: unknown, words: readonly string[]): boolean {
  const texts: string[] = []
  const gather = (value: unknown): void => {
    if (typeof value === 'string') texts.push(value)
    else if (Array.isArray(value)) value.forEach(gather)
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(gather)
  }
  gather(report)
  const text = folded(texts.join('\n'))
  return words.every((word) => text.includes(folded(word)))
}

async function searchReports(
  context: Context,
  words: readonly string[],
  options: Options,
): Promise<void> {
  if (words.every((word) => folded(word).trim() === ''))
    throw usage('Say what to look for.', 'word')
  const limit = options.whole('limit', { min: 1, max: 100_000 }) ?? 50
  const all = await localReports(context, reportQueryOf([], options))
  const found = all.filter(({ report }) => matches(report, words))
  await using opened = await openSession(context, {
    relay: undefined,
    waitSeconds: 0,
    offline: true,
    silent: true,
  })
  const { directory } = opened.session
  for (const delivery of found.slice(-limit)) {
    context.out.data(deliveryObject(delivery), () =>
      deliveryLines(delivery, directory, context.out),
    )
  }
  context.out.say(
    `${counted(found.length, 'report')} of ${all.length}${found.length > limit ? `; the newest ${limit} are shown` : ''}.`,
  )
}
