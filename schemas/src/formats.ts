const datePattern = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/
const instantPattern = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,3})?Z$/

/** True for a calendar date such as 2013-03-17 that exists; 2013-02-30 does not. */
export function isDate(text: string): boolean {
  if (text.length !== 10 || !datePattern.test(text)) return false
  const ms = Date.parse(`${text}T00:00:00Z`)
  // Date.parse turns 30 February into 2 March; printing the result back exposes it.
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text)
}

/** True for a moment in UTC such as 2013-03-17T09:00:00Z that exists; leap seconds are refused. */
export function isInstant(text: string): boolean {
  if (text.length > 24 || !instantPattern.test(text)) return false
  const ms = Date.parse(text)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text.slice(0, 19))
}

/** The formats that the schemas use. Everything else is a pattern. */
export const formats: Readonly<Record<'date' | 'date-time', (text: string) => boolean>> = {
  date: isDate,
  'date-time': isInstant,
}
