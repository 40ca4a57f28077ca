import * as mgrsModule from 'mgrs'

type Mgrs = Pick<typeof mgrsModule, 'toPoint'>

// The package is CommonJS for Node and a module for bundlers; this takes either.
const { toPoint }: Mgrs = (mgrsModule as Mgrs & { readonly default?: Mgrs }).default ?? mgrsModule

/** Coordinates are written to five decimals, which is about a metre. */
const roundingMetres = 2

/**
 * Whether a grid reference names a square, and whether a point lies in it, give or take its precision.
 *
 * @param point Longitude and latitude in degrees, or null when there is nothing to compare with.
 */
export function checkMgrs(
  reference: string,
  point: readonly [number, number] | null,
): 'mgrs_invalid' | 'mgrs_mismatch' | null {
  let centre: readonly [number, number]
  try {
    centre = toPoint(reference)
  } catch {
    return 'mgrs_invalid'
  }
  if (!exists(reference, centre)) return 'mgrs_invalid'
  if (point === null) return null
  const digits = (/[0-9]*$/.exec(reference)?.[0].length ?? 0) / 2
  const squareMetres = 100_000 / 10 ** digits
  return metresBetween(centre, point) <= squareMetres + roundingMetres ? null : 'mgrs_mismatch'
}

const bands = 'CDEFGHJKLMNPQRSTUVWX'
/** Letters of the 100 km columns in zones 1, 4, 7…, in zones 2, 5, 8…, and in zones 3, 6, 9…. */
const columns = ['STUVWXYZ', 'ABCDEFGH', 'JKLMNPQR'] as const
const squareDegrees = 1

/** The package places any letters somewhere; a square exists if its zone has the column and its band the row. */
function exists(reference: string, centre: readonly [number, number]): boolean {
  const [, zone = '', band = '', column = ''] = /^(\d+)(.)(.)/.exec(reference) ?? []
  if (!columns[Number(zone) % 3]?.includes(column)) return false
  const south = -80 + 8 * bands.indexOf(band)
  const north = south + (band === 'X' ? 12 : 8)
  return centre[1] >= south - squareDegrees && centre[1] <= north + squareDegrees
}

const earthRadiusMetres = 6_371_000
const radians = (degrees: number): number => (degrees * Math.PI) / 180

function metresBetween(a: readonly [number, number], b: readonly [number, number]): number {
  const lat = radians(b[1] - a[1])
  const lon = radians(b[0] - a[0])
  const h =
    Math.sin(lat / 2) ** 2 +
    Math.cos(radians(a[1])) * Math.cos(radians(b[1])) * Math.sin(lon / 2) ** 2
  return 2 * earthRadiusMetres * Math.asin(Math.min(1, Math.sqrt(h)))
}
