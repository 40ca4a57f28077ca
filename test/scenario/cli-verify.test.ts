import t from 'tap'
import { inProcess, makeHome, startCliScenario } from '../support/cli.ts'

// The machine may be busy.
t.setTimeout(120_000)

t.test(
  'two homes show the same digits of a member, and one remembers that they were compared',
  async (t) => {
    await using relay = await startCliScenario()
    const { network, folder, url } = relay
    const here = await makeHome(network, network.deviceOf('BF'), { folder, url })
    const there = await makeHome(network, network.deviceOf('ML'), { folder, url })
    const verify = async (home: string, ...args: string[]) => {
      const { code, stdout, json } = await inProcess(home, ['verify-device', ...args])
      return { code, answer: stdout === '' ? null : json()[0] }
    }
    const ours = await verify(here, 'ML', '--show')
    const theirs = await verify(there, 'ML', '--show')
    t.match(ours.answer?.['number'], /^[0-9 ]{40,}$/)
    t.equal(ours.answer?.['number'], theirs.answer?.['number'])
    t.equal(ours.answer?.['verification'], null)
    t.equal((await verify(here, 'ML')).code, 2, 'nobody can be asked')
    t.equal((await verify(here, 'ML', '--confirm', 'NE')).code, 2, 'another name')
    t.equal(
      (await verify(here, 'ML', '--show')).answer?.['verification'],
      null,
      'nothing was noted',
    )
    t.equal((await verify(here, 'ML', '--confirm', 'ML', '--how', 'by radio')).code, 0)
    const after = await verify(here, 'ML', '--show', '--offline')
    t.match(after.answer?.['verification'], { how: 'by radio' })
    t.equal((await verify(here, 'XX', '--show')).code, 2, 'no such member')
  },
)
