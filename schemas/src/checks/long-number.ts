/**
 * Numbers that may be those of a person. Eight digits in a row, or with the marks that people put
 * between them, are a telephone or an identity number, unless they can be read as something else: a
 * date, a time, years, or an amount in groups of three.
 */

/** As few digits as the telephone numbers of the region have. */
const digitsMin = 8

/** Groups of digits with at most three marks between them. A comma, a colon and a line break end a run. */
const run = /\p{Nd}+(?:[ .'\u2019\-/()[\]+_*|\\~\u00b7\u2022]{1,3}\p{Nd}+)*/gu

interface Group {
  readonly text: string
  /** What stands before it, up to the group before or the beginning of the run. */
  readonly before: string
  /** What stands after it. */
  readonly after: string
}

/** Whether a text, made plain, has a number that may identify a person. Linear. */
export function hasLongNumber(text: string): boolean {
  for (const match of text.matchAll(run)) {
    if (match[0].length < digitsMin) continue
    const around = [text.charAt(match.index - 1), text.charAt(match.index + match[0].length)]
    if (isLong(groupsOf(match[0], around[0] ?? '', around[1] ?? ''))) return true
  }
  return false
}

function groupsOf(found: string, before: string, after: string): readonly Group[] {
  const parts = found.split(/(\p{Nd}+)/u)
  // Odd places hold digits, even ones what stands between them.
  parts[0] = before
  parts[parts.length - 1] = after
  const groups: Group[] = []
  for (let i = 1; i < parts.length; i += 2) {
    groups.push({ text: parts[i] ?? '', before: parts[i - 1] ?? '', after: parts[i + 1] ?? '' })
  }
  return groups
}

function isLong(groups: readonly Group[]): boolean {
  let digits = 0
  for (let i = 0; i < groups.length; ) {
    const known = knownAt(groups, i, digits > 0)
    if (known > 0) {
      digits = 0
      i += known
      continue
    }
    const { text, before } = groups[i] as Group
    const previous = groups[i - 1]?.text ?? ''
    // "1200. 3400": the end of a sentence, and not the marks of a number.
    const isNew = /^\. $/.test(before) && previous.length > 2 && text.length > 2
    digits = (isNew ? 0 : digits) + text.length
    if (digits >= digitsMin) return true
    i += 1
  }
  return false
}

/** How many groups from here on are something harmless; 0 when none. */
function knownAt(groups: readonly Group[], i: number, afterDigits: boolean): number {
  if (groups[i]?.before.endsWith('+') === true) return 0
  return (
    dateAt(groups, i, afterDigits) ||
    timeAt(groups, i) ||
    yearsAt(groups, i) ||
    amountAt(groups, i, afterDigits)
  )
}

const numberIn = (group: Group | undefined, digits: RegExp, min: number, max: number): boolean => {
  if (group === undefined || !digits.test(group.text)) return false
  const n = Number(group.text)
  return n >= min && n <= max
}
const isYear = (group: Group | undefined): boolean => numberIn(group, /^\d{4}$/, 1900, 2099)
const isMonth = (group: Group | undefined): boolean => numberIn(group, /^\d{1,2}$/, 1, 12)
const isDay = (group: Group | undefined): boolean => numberIn(group, /^\d{1,2}$/, 1, 31)

/** 2013-03-17, 17/03/2013, 17.03.13, 03/2013, 2013-03; never with the same mark before or after it. */
function dateAt(groups: readonly Group[], i: number, afterDigits: boolean): number {
  const [a, b, c, d] = groups.slice(i, i + 4)
  const mark = a?.after ?? ''
  if (a === undefined || b === undefined || !/^[-/.]$/.test(mark) || a.before === mark) return 0
  if (c === undefined || b.after !== mark) {
    const isPair =
      (isYear(a) && isMonth(b) && mark !== '.') || (isMonth(a) && isYear(b) && mark !== '-')
    return isPair && b.after !== mark ? 2 : 0
  }
  if (c.after === mark && d !== undefined) return 0
  if (isYear(a)) return isMonth(b) && isDay(c) ? 3 : 0
  if (!((isDay(a) && isMonth(b)) || (isMonth(a) && isDay(b)))) return 0
  if (isYear(c)) return 3
  // With a year of two digits it looks like a part of a telephone number, so it stands alone.
  const goesOn = c.after === ' ' && d?.text.length === 2 && d.after !== mark
  return !afterDigits && !goesOn && numberIn(c, /^\d{2}$/, 0, 99) ? 3 : 0
}

/** 12.30, of which no third part follows. Times with a colon are no run. */
function timeAt(groups: readonly Group[], i: number): number {
  const [hour, minute] = [groups[i], groups[i + 1]]
  if (hour?.after !== '.' || hour.before === '.' || minute === undefined) return 0
  if (minute.after === '.' && groups[i + 2] !== undefined) return 0
  return numberIn(hour, /^\d{1,2}$/, 0, 24) && numberIn(minute, /^\d{2}$/, 0, 59) ? 2 : 0
}

/** A year in brackets, one beside another year, or one before an amount that ends the run. */
function yearsAt(groups: readonly Group[], i: number): number {
  const [year, next] = [groups[i], groups[i + 1]]
  if (year === undefined || !isYear(year)) return 0
  if (year.before.endsWith('(') && year.after.startsWith(')')) return 1
  const isListed = (mark: string): boolean => /^(?: ?[-/] ?| )$/.test(mark)
  if (isListed(year.after) && isYear(next)) {
    let many = 2
    while (isListed(groups[i + many - 1]?.after ?? '') && isYear(groups[i + many])) many += 1
    return many
  }
  const many = year.after === ' ' ? amountAt(groups, i + 1, false) : 0
  return many > 0 && i + 1 + many === groups.length ? 1 + many : 0
}

const amountDigitsMax = 7

/** 74 108 or 12 000 000. Nine digits in threes may be a telephone, unless they end in noughts. */
function amountAt(groups: readonly Group[], i: number, afterDigits: boolean): number {
  const first = groups[i]
  const mark = first?.after ?? ''
  if (first === undefined || !/^[1-9]\d{0,2}$/.test(first.text)) return 0
  if (!/^[ .'\u2019]$/.test(mark) || (afterDigits && /^[ .'\u2019]$/.test(first.before))) return 0
  let many = 1
  let digits = first.text.length
  while (groups[i + many - 1]?.after === mark && /^\d{3}$/.test(groups[i + many]?.text ?? '')) {
    many += 1
    digits += 3
  }
  const last = groups[i + many - 1]
  const goesOn = last?.after === mark && groups[i + many] !== undefined
  if (many === 1 || goesOn) return 0
  return digits <= amountDigitsMax || last?.text === '000' ? many : 0
}
