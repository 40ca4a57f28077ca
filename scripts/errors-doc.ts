/** Makes docs/errors.md from the table of codes in protocol/src/errors.ts. */
import {
  type ErrorCode,
  type ErrorRow,
  errorCodes,
  errorRow,
  type Retry,
} from '../protocol/src/errors.ts'

const groups: readonly { readonly from: number; readonly title: string }[] = [
  { from: 1, title: 'Frames and session' },
  { from: 100, title: 'Admission of a report' },
  { from: 200, title: 'Directory' },
  { from: 300, title: 'Opening a report' },
  { from: 400, title: 'The machine of the user' },
  { from: 500, title: 'The relay itself' },
]

const retryText: Readonly<Record<Retry, string>> = {
  never: 'no: something must change first',
  sync: 'yes, after the directory was fetched again',
  later: 'yes, after a wait, with the same bytes',
  unknown: 'yes, with the same bytes, until an answer comes: the outcome is not known',
}

const entry = ([code, { n, retry, exit, text, remedy }]: [string, ErrorRow]): string =>
  [
    `### ${code}`,
    '',
    text,
    '',
    `*What to do:* ${remedy}`,
    '',
    `Number ${n} · try again: ${retryText[retry]} · exit code of \`liaison\`: ${exit}`,
  ].join('\n')

/** The text of docs/errors.md: every code under a heading of its own, in the order of numbers. */
export function errorsDocument(): string {
  const rows: [string, ErrorRow][] = (Object.keys(errorCodes) as ErrorCode[]).map(
    (code) => [code, errorRow(code)] as [string, ErrorRow],
  )
  rows.sort(([, a], [, b]) => a.n - b.n)
  const sections = groups.map(({ from, title }, index) => {
    const before = groups[index + 1]?.from ?? Number.POSITIVE_INFINITY
    const inGroup = rows.filter(([, { n }]) => n >= from && n < before)
    return [`## ${title}`, ...inGroup.map(entry)].join('\n\n')
  })
  const head = [
    '# Errors',
    '',
    'Every failure that a relay, the SDK or the command line reports has one of these codes. Programs',
    'match the code, never the text. A code is never renamed and a number never used again.',
    '',
    '*This page is made from `protocol/src/errors.ts` by `npm run generate`.*',
  ].join('\n')
  return `${[head, ...sections].join('\n\n')}\n`
}
