import { type Logger, pino } from 'pino'

/**
 * Fields that may never reach a log. The relay logs numbers and codes only; this is the second line,
 * for objects that get there by mistake.
 */
const redacted = [
  'payload',
  'slots',
  'seed',
  'secretKey',
  'passphrase',
  '*.payload',
  '*.slots',
  '*.seed',
  '*.secretKey',
  '*.passphrase',
  'req.headers',
  'req.remoteAddress',
]

/** The relay's logger: one JSON object a line, on standard output unless told otherwise. */
export function createLogger(level: string, destination?: NodeJS.WritableStream): Logger {
  const options = { level, redact: { paths: redacted, censor: '[redacted]' }, base: null }
  return destination === undefined ? pino(options) : pino(options, destination)
}
