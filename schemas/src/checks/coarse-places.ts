import { plainText } from './plain-text.ts'

/** Two decimals of a degree are about a kilometre. */
const decimalsMax = 2
/** Zone, band, square and two digits each way: a square of one kilometre. */
const mgrsDigitsMax = 4

const degree = '[-+]?\\d{1,3}[.,]\\d{3,15}(?: ?°)?(?: ?[NSEWO](?!\\p{L}))?'
/** Two numbers of three or more decimals of which one has four, a sign of degrees or a letter. */
const pair = new RegExp(`${degree}[ ,;/]{1,3}${degree}`, 'giu')
const surelyDegrees = /[.,]\d{4}|°|[NSEWO]/i
/** 16°46'24": a second is 30 metres. */
const seconds = /\d ?° ?\d{1,2} ?['’′] ?\d/u
/** A grid reference of 100 metres or less. */
const gridReference = /\b\d{1,2}[C-HJ-NP-X] ?[A-HJ-NP-Z][A-HJ-NP-V] ?\d{3,5} ?\d{3,5}\b/u

/** Whether a text gives a place more exactly than to about a kilometre. Linear. */
export function hasFinePlace(text: string): boolean {
  const plain = plainText(text)
  if (seconds.test(plain) || gridReference.test(plain)) return true
  return (plain.match(pair) ?? []).some((found) => surelyDegrees.test(found))
}

/** Whether a number of degrees has at most two decimals. */
export const isCoarseNumber = (value: number): boolean =>
  Number(value.toFixed(decimalsMax)) === value

/** Whether all numbers of a GeoJSON geometry are coarse. */
export function areCoarse(coordinates: unknown): boolean {
  if (Array.isArray(coordinates)) return coordinates.every(areCoarse)
  return typeof coordinates !== 'number' || isCoarseNumber(coordinates)
}

/** Whether a grid reference names a square of a kilometre or more. */
export const isCoarseGrid = (reference: string): boolean =>
  (/[0-9]*$/.exec(reference)?.[0].length ?? 0) <= mgrsDigitsMax
