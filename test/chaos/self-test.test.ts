/** A harness that does not notice a defect would show nothing by being green. */
import t from 'tap'
import { runSelfTest, selfTestCases } from './self-test.ts'
import { mutants } from './world/mutants.ts'

t.test('every defect has a run that must notice it', async (t) => {
  const covered = new Set(selfTestCases.map(({ mutant }) => mutant))
  t.same(
    Object.keys(mutants).filter((name) => !covered.has(name as keyof typeof mutants)),
    [],
  )
})

t.test('a relay that leaves out what it should deliver is noticed', async (t) => {
  const said: string[] = []
  const names = ['drop-one']
  const results = await runSelfTest({
    names,
    hasNamespaces: false,
    talk: (text) => said.push(text),
  })
  const [result] = results
  t.equal(results.length, 1, said.join('\n'))
  t.ok((result?.acknowledged ?? 0) > 0, 'reports were acknowledged')
  t.ok(result?.isRed, `${result?.broken.join(' ')}: ${said.join('\n')}`)
})
