const equatorMetres = 6_378_137
const flattening = 1 / 298.257223563
const scale = 0.9996
const falseEasting = 500_000
const e2 = flattening * (2 - flattening)
const radians = (degrees: number): number => (degrees * Math.PI) / 180

/**
 * Easting and northing of a point in a zone of UTM (WGS 84), in metres, also when it lies beside that
 * zone. The northing counts from the equator, so that it is negative in the south.
 *
 * The series of Snyder, "Map Projections" (1987), page 61: exact to centimetres within a few degrees.
 */
export function utmOf(
  [longitude, latitude]: readonly [number, number],
  zone: number,
): readonly [number, number] {
  const phi = radians(latitude)
  const east = ((((longitude - (zone * 6 - 183) + 180) % 360) + 360) % 360) - 180
  const ep2 = e2 / (1 - e2)
  const n = equatorMetres / Math.sqrt(1 - e2 * Math.sin(phi) ** 2)
  const t = Math.tan(phi) ** 2
  const c = ep2 * Math.cos(phi) ** 2
  const a = Math.cos(phi) * radians(east)
  const m = meridian(phi)
  const x =
    a + ((1 - t + c) * a ** 3) / 6 + ((5 - 18 * t + t * t + 72 * c - 58 * ep2) * a ** 5) / 120
  const y =
    (a * a) / 2 +
    ((5 - t + 9 * c + 4 * c * c) * a ** 4) / 24 +
    ((61 - 58 * t + t * t + 600 * c - 330 * ep2) * a ** 6) / 720
  return [falseEasting + scale * n * x, scale * (m + n * Math.tan(phi) * y)]
}

/** Length of the meridian from the equator, metres. */
function meridian(phi: number): number {
  const [e4, e6] = [e2 ** 2, e2 ** 3]
  return (
    equatorMetres *
    ((1 - e2 / 4 - (3 * e4) / 64 - (5 * e6) / 256) * phi -
      ((3 * e2) / 8 + (3 * e4) / 32 + (45 * e6) / 1024) * Math.sin(2 * phi) +
      ((15 * e4) / 256 + (45 * e6) / 1024) * Math.sin(4 * phi) -
      ((35 * e6) / 3072) * Math.sin(6 * phi))
  )
}
