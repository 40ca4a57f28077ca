/** The browser that the tests of pages need. */
import { adviceOf, ensurePart, findPart, type SystemPart } from './system-part.ts'

const chromium: SystemPart = {
  title: 'Chromium',
  programs: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
  variable: 'LIAISON_CHROMIUM',
  package: 'chromium',
  unpacks: false,
}

/** How to get the browser, for whoever reads that it is missing. */
export const chromiumAdvice: string = adviceOf(chromium)

/** Path of a Chromium on this machine, or null. */
export const findChromium = (): string | null => findPart(chromium)

/** Installs Chromium if it is missing and that is allowed; else says how. */
export async function ensureChromium(): Promise<void> {
  await ensurePart(chromium)
}
