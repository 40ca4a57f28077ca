import t from 'tap'
import { checkMgrs } from '../../../schemas/src/checks/mgrs.ts'

const timbuktu = [-3.0074, 16.7735] as const

t.test('agrees at every precision that it states', async (t) => {
  const { default: mgrs } = (await import('mgrs')) as unknown as {
    default: { forward(point: readonly [number, number], digits: number): string }
  }
  const points = [timbuktu, [8.5, 12], [-17.4, 14.7], [0, 0], [32.5, -25.9], [7.9, 18.7]] as const
  for (const point of points) {
    for (const digits of [0, 1, 2, 3, 4, 5]) {
      const reference = mgrs.forward(point, digits)
      t.equal(checkMgrs(reference, point), null, reference)
    }
  }
})

t.test('refuses a point outside the square', (t) => {
  // The usual textbook reference, near Honolulu.
  t.equal(checkMgrs('4QFJ12345678', [-157.91682, 21.30948]), null)
  t.equal(checkMgrs('4QFJ12345678', [-157.9169, 21.4]), 'mgrs_mismatch', '10 km further north')
  t.equal(checkMgrs('32PNV7513', timbuktu), 'mgrs_mismatch', 'another zone')
  t.equal(checkMgrs('30QVE00', timbuktu), 'mgrs_mismatch', 'another square of the zone')
  t.end()
})

t.test('a point a little beside the square is not in it', (t) => {
  // From the centre of a square of 10 km to two kilometres beyond its sides.
  for (const [point, expected] of [
    [[-2.52, 13.157], null],
    [[-2.4282, 13.157], 'mgrs_mismatch'],
    [[-2.58, 13.157], 'mgrs_mismatch'],
    [[-2.52, 13.2205], 'mgrs_mismatch'],
    [[-2.52, 13.092], 'mgrs_mismatch'],
  ] as const) {
    t.equal(checkMgrs('30PWV55', point), expected, String(point))
  }
  // Two decimals may be half a kilometre off, five may not.
  t.equal(checkMgrs('30PWV5555', [-2.49, 13.16]), null)
  t.equal(checkMgrs('30PWV5555', [-2.48712, 13.15923]), 'mgrs_mismatch')
  t.end()
})

t.test('refuses squares that do not exist', (t) => {
  t.equal(checkMgrs('01CZV', null), 'mgrs_invalid', 'no such column in zone 1')
  t.equal(checkMgrs('32PAV7513', null), 'mgrs_invalid', 'no such column in zone 32')
  t.equal(checkMgrs('30QVA', null), 'mgrs_invalid', 'no such row in band Q')
  t.end()
})
