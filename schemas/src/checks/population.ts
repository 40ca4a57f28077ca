import type { HumanitarianSite } from '../generated/types.ts'
import { type Problem, problem } from '../problem.ts'

/** Below this a number may point to a family or a person. */
export const smallestCount = 10

type Population = NonNullable<HumanitarianSite['population']>
type Band = NonNullable<Population['bands']>[number]['band']

/** Groups that make up the whole together: each person is in exactly one of each list. */
const wholes: readonly (readonly Band[])[] = [
  ['female', 'male'],
  ['age-0-4', 'age-5-11', 'age-12-17', 'age-18-59', 'age-60-up'],
]

/** Whether a number may point to somebody. None does not. */
export const isSmall = (count: number): boolean => count > 0 && count < smallestCount

/** No number under ten may follow from the others, and no part is larger than the whole. */
export function checkPopulation(population: Population): readonly Problem[] {
  const { bands = [], households, individuals } = population
  const problems: Problem[] = []
  const given = new Map<Band, number>()
  bands.forEach(({ band, individuals: number, suppressed }, index) => {
    const at = `/population/bands/${index}`
    if (number === undefined) return
    if (suppressed === true) {
      problems.push(problem(`${at}/individuals`, 'small_count', { least: smallestCount }))
    }
    given.set(band, number)
    if (individuals !== undefined && number > individuals) {
      problems.push(problem(`${at}/individuals`, 'count_out_of_range'))
    }
  })
  if (individuals === undefined) return problems
  if (households !== undefined && households > individuals) {
    problems.push(problem('/population/households', 'count_out_of_range'))
  }
  // What is left of the whole: without each group, and without those of each list that are given.
  const rests = [...given.values()].map((number) => individuals - number)
  // Who left a number out must not be undone by a sum, whatever was summed.
  if (bands.some(({ suppressed }) => suppressed === true) && given.size > 1) {
    rests.push(individuals - [...given.values()].reduce((sum, number) => sum + number, 0))
  }
  for (const whole of wholes) {
    const numbers = whole.flatMap((band) => given.get(band) ?? [])
    if (numbers.length === 0) continue
    const rest = individuals - numbers.reduce((sum, number) => sum + number, 0)
    if (rest < 0) problems.push(problem('/population/individuals', 'count_out_of_range'))
    rests.push(rest)
  }
  if (rests.some(isSmall)) {
    problems.push(
      problem('/population/individuals', 'small_count_derivable', { least: smallestCount }),
    )
  }
  return problems
}
