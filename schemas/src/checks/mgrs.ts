import * as mgrsModule from 'mgrs'
import { utmOf } from './utm.ts'

type Mgrs = Pick<typeof mgrsModule, 'toPoint'>

// The package is CommonJS for Node and a module for bundlers; this takes either.
const { toPoint }: Mgrs = (mgrsModule as Mgrs & { readonly default?: Mgrs }).default ?? mgrsModule

/** Coordinates are written to five decimals at most, which is about a metre; less than two are taken for two. */
const [decimalsMin, decimalsMax] = [2, 5]
const degreeMetres = 111_320
/** For the difference between two ways of computing the same. */
const slackMetres = 1

/**
 * Whether a grid reference names a square, and whether a point lies in it, give or take the rounding
 * of its own decimals.
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
  const squareMetres = hundredKilometres / 10 ** digits
  const margin = roundingMetres(point) + slackMetres
  // Rows repeat after 2000 km, so being near comes first.
  if (metresBetween(centre, point) > squareMetres + margin) return 'mgrs_mismatch'
  const isIn = offsets(reference, point).every(
    (offset) => offset >= -margin && offset <= squareMetres + margin,
  )
  return isIn ? null : 'mgrs_mismatch'
}

const hundredKilometres = 100_000
const rows = 'ABCDEFGHJKLMNPQRSTUV'
const rowsMetres = rows.length * hundredKilometres

/** How far a point lies east and north of the south-western corner of a square, in metres. */
function offsets(reference: string, point: readonly [number, number]): readonly [number, number] {
  const [, zone = '', column = '', row = '', digits = ''] =
    /^(\d+).(.)(.)(\d*)$/.exec(reference) ?? []
  const half = digits.length / 2
  const within = (text: string): number => Number(text) * (hundredKilometres / 10 ** half)
  const columnAt = (columns[Number(zone) % 3] ?? '').indexOf(column) + 1
  // In zones of even number the letters begin five rows further south.
  const rowAt = rows.indexOf(row) - (Number(zone) % 2 === 0 ? 5 : 0)
  const [easting, northing] = utmOf(point, Number(zone))
  const east = easting - columnAt * hundredKilometres - within(digits.slice(0, half))
  const north = northing - rowAt * hundredKilometres - within(digits.slice(half))
  return [east, north - Math.round(north / rowsMetres) * rowsMetres]
}

/** What the rounding of coordinates to their decimals may make out, in metres. */
function roundingMetres(point: readonly [number, number]): number {
  const given = point.map((degrees) => /\.(\d+)$/.exec(String(degrees))?.[1]?.length ?? 0)
  const decimals = Math.min(Math.max(...given, decimalsMin), decimalsMax)
  return (degreeMetres / 10 ** decimals) * 0.5
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
