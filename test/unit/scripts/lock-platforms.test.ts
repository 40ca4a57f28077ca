import { readFile } from 'node:fs/promises'
import t from 'tap'
import { missingPlatforms, withPlatforms } from '../../../scripts/lock-platforms.ts'

t.test('the lock file lists the builds for every platform', async (t) => {
  const text = await readFile(new URL('../../../package-lock.json', import.meta.url), 'utf8')
  t.same(missingPlatforms(text), [], 'npm run generate adds them')
})

t.test('a build that is missing is added with its platform, and only once', async (t) => {
  const lock = {
    lockfileVersion: 3,
    packages: {
      '': { name: 'x' },
      'node_modules/tool': {
        version: '1.2.3',
        dev: true,
        optionalDependencies: { '@tool/linux-x64': '1.2.3', '@tool/linux-x64-musl': '1.2.3' },
      },
      'node_modules/@tool/linux-x64': { version: '1.2.3', integrity: 'sha512-x' },
    },
  }
  const text = JSON.stringify(lock)
  t.same(missingPlatforms(text), ['@tool/linux-x64-musl'])
  const completed = withPlatforms(text)
  const { packages } = JSON.parse(completed)
  t.same(packages['node_modules/@tool/linux-x64-musl'], {
    version: '1.2.3',
    cpu: ['x64'],
    dev: true,
    libc: ['musl'],
    optional: true,
    os: ['linux'],
  })
  t.same(packages['node_modules/@tool/linux-x64'], { version: '1.2.3', integrity: 'sha512-x' })
  t.equal(Object.keys(packages)[0], '', 'the root stays first')
  t.equal(withPlatforms(completed), completed)
})
