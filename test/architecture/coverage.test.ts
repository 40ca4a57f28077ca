import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { folderCoverage } from '../../scripts/coverage.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { root } from './sources.ts'

const sign = `interface Shape {
  readonly side: number
}

export function sign(shape: Shape): string {
  if (shape.side < 0) {
    const dead: string = 'negative'
    return dead
  }
  return 'positive'
}
`

// Some ways of running TypeScript report every line as covered. This shows that ours does not.
t.test('a branch that never ran is reported as uncovered, in lines of the source', async (t) => {
  await using folder = await tempFolder()
  const home = await realpath(folder.path)
  await folder.write('package.json', '{ "type": "module" }')
  await folder.write('src/sign.ts', sign)
  await folder.write('src/never-loaded.ts', 'export const a = 1\nexport const b = 2\n')
  await folder.write('src/only-types.ts', '/** Nothing to run. */\nexport type T = string\n')
  const main = await folder.write(
    'main.ts',
    "import { sign } from './src/sign.ts'\nsign({ side: 1 })\n",
  )

  // tap measures with c8; here it is called by itself because a tap within a tap shares its folders.
  const c8 = join(root, 'node_modules', 'c8', 'bin', 'c8.js')
  const hook = pathToFileURL(join(root, 'scripts', 'ts.mjs')).href
  const args = ['--reporter=json', '--reports-dir=report', '--extension=.ts', '--clean']
  const { NODE_V8_COVERAGE: _outer, ...inherited } = process.env
  // The outer tap would also measure this child and take its figures away.
  const env = { ...inherited, _TAPJS_PROCESSINFO_COVERAGE_: '0' }
  const child = spawn(process.execPath, [c8, ...args, process.execPath, `--import=${hook}`, main], {
    cwd: home,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code] = await once(child, 'close')
  t.equal(code, 0)

  const report = JSON.parse(await readFile(join(home, 'report', 'coverage-final.json'), 'utf8'))
  const result = await folderCoverage(home, 'src', 90, report)
  const missing = new Map(result.missing.map(({ file, lines }) => [file, lines]))
  t.same(missing.get('src/sign.ts'), [7, 8, 9], 'the dead branch')
  t.same(missing.get('src/never-loaded.ts'), [1, 2], 'a file that nothing loads counts in full')
  t.notOk(missing.has('src/only-types.ts'), 'types need no coverage')
  t.ok(result.percent < 90, `${result.percent} %`)
})
