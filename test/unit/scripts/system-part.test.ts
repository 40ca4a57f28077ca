import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import {
  ensurePart,
  findPart,
  type System,
  type SystemPart,
  thisSystem,
} from '../../../scripts/system-part.ts'
import { type TempFolder, tempFolder } from '../../support/temp-folder.ts'

const part: SystemPart = {
  title: 'Storage',
  programs: ['storage-server'],
  variable: 'LIAISON_STORAGE',
  package: 'storage',
  unpacks: true,
}

interface Machine {
  readonly system: System
  readonly ran: string[]
  readonly said: string[]
}

/** A machine with Debian's tools, where programs do what `does` says. */
async function machine(
  folder: TempFolder,
  options: { readonly isRoot?: boolean; readonly env?: NodeJS.ProcessEnv; readonly apt?: boolean },
  does: (line: string, cwd: string) => Promise<string | null> = async () => null,
): Promise<Machine> {
  const tools = join(folder.path, 'tools')
  await mkdir(tools)
  if (options.apt ?? true) await folder.write('tools/apt-get', '')
  const ran: string[] = []
  const said: string[] = []
  const system: System = {
    env: { PATH: tools, ...options.env },
    isRoot: options.isRoot ?? false,
    cache: join(folder.path, 'cache'),
    async run(program, args, cwd = '') {
      const line = [program, ...args].join(' ')
      ran.push(line)
      const out = await does(line, cwd)
      return out === null ? { code: 1, out: '' } : { code: 0, out }
    },
    say: (text) => void said.push(text),
  }
  return { system, ran, said }
}

t.test('what is there is taken: named, on the path', async (t) => {
  await using folder = await tempFolder()
  const { system, ran } = await machine(folder, {})
  t.equal(findPart(part, system), null)
  const path = await folder.write('tools/storage-server', '')
  t.equal(await ensurePart(part, system), path)
  const named = { ...system, env: { ...system.env, LIAISON_STORAGE: '/opt/storage' } }
  t.equal(await ensurePart(part, named), '/opt/storage')
  t.same(ran, [], 'nothing was run')
})

t.test('root installs the package', async (t) => {
  await using folder = await tempFolder()
  const { system, ran } = await machine(folder, { isRoot: true }, async (line) => {
    if (line.startsWith('apt-get install')) await folder.write('tools/storage-server', '')
    return ''
  })
  t.equal(await ensurePart(part, system), join(folder.path, 'tools', 'storage-server'))
  t.same(ran, ['apt-get update -qq', 'apt-get install -y -qq --no-install-recommends storage'])
})

t.test('anybody else unpacks it with what it needs', async (t) => {
  await using folder = await tempFolder()
  const { system, ran } = await machine(folder, {}, async (line, cwd) => {
    if (line.includes('--simulate')) {
      return 'NOTE\nInst libstorage1 (5 [amd64])\nInst storage (7)\nConf storage (7)\n'
    }
    if (line.startsWith('apt-get download')) {
      t.equal(line, 'apt-get download -qq libstorage1 storage')
      await folder.write(join(cwd.slice(folder.path.length), 'storage_7_amd64.deb'), '')
    }
    if (line.startsWith('dpkg-deb -x storage_7_amd64.deb')) {
      const program = await folder.write(
        join(cwd.slice(folder.path.length), 'usr/bin/storage-server'),
        '#!/bin/sh\necho served "$@"',
      )
      await chmod(program, 0o755)
    }
    return ''
  })
  const found = await ensurePart(part, system)
  t.equal(found, join(folder.path, 'cache', 'storage', 'bin', 'storage-server'))
  t.equal(ran.length, 3)
  const { code, out } = await thisSystem.run(found ?? '', ['--port', '1'])
  t.same({ code, out }, { code: 0, out: 'served --port 1\n' }, 'and it starts')
  t.equal(await ensurePart(part, system), found)
  t.equal(ran.length, 3, 'once')
})

t.test(
  'where nothing helps it says what to install, and fails where nobody would read that',
  async (t) => {
    await using folder = await tempFolder()
    const { system, said, ran } = await machine(folder, {})
    t.equal(await ensurePart(part, system), null, 'no lists of packages')
    t.equal(ran.length, 1)
    t.match(said, [/Storage was not found: install it \(Debian: apt-get install storage\)/])
    const other = { ...system, env: { PATH: '/nowhere' } }
    t.equal(await ensurePart({ ...part, unpacks: false }, other), null)
    await t.rejects(ensurePart(part, { ...other, env: { CI: 'true' } }), /LIAISON_STORAGE/)
  },
)
