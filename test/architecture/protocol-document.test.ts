import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  coreHashOf,
  errorCodes,
  frameTypes,
  fromHex,
  limits,
  type NetworkId,
  sha256,
  toHex,
  utf8,
} from '@liaison/protocol'
import t from 'tap'
import { signingLabels } from '../../protocol/src/crypto/sign.ts'
import { relayLimits } from '../../server/src/limits.ts'
import { packageSources, root } from './sources.ts'

const document = await readFile(join(root, 'docs/protocol.md'), 'utf8')

/** Cells of the tables of a text, by row. */
const rowsOf = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )

/** Limits as the document's tables give them, by name. */
const limitsIn = (text: string): ReadonlyMap<string, number> =>
  new Map(
    rowsOf(text).flatMap(([name = '', value = '']) => {
      const [, key] = /^`(\w+)`$/.exec(name) ?? []
      const [, number] = /^([\d,]+)(?: |$)/.exec(value) ?? []
      return key === undefined || number === undefined
        ? []
        : [[key, Number(number.replaceAll(',', ''))] as const]
    }),
  )

t.test('the table of limits is that of the code', async (t) => {
  const said = limitsIn(document.slice(document.indexOf('## 11 '), document.indexOf('## 12 ')))
  t.same(Object.fromEntries(said), { ...limits, ...relayLimits })
  const wrong = limitsIn('| `cborDepthMax` | 9 | `x` |\n| `epochKeepMs` | 1,209 (14 days) | |')
  t.same([...wrong.values()], [9, 1209], 'a number is read as it stands there')
})

t.test('the table of frames names every type', async (t) => {
  const table = document.slice(document.indexOf('### 5.1 '), document.indexOf('### 5.2 '))
  const said = rowsOf(table).flatMap(([type = '', name = '']) =>
    /^\d+$/.test(type) ? [`${name} ${type}`] : [],
  )
  const types = Object.entries(frameTypes).map(([name, type]) => `${name} ${type}`)
  t.same([...new Set(said)].sort(), types.sort())
})

t.test('every label that is hashed or signed under is in the document', async (t) => {
  const used = new Set<string>(Object.values(signingLabels))
  for (const { file, text } of await packageSources()) {
    if (!file.startsWith('protocol/')) continue
    for (const [, label = ''] of text.matchAll(/'(sir\/1 [a-z-]+)'/g)) used.add(label)
  }
  t.ok(used.size >= 18, `${used.size} labels`)
  t.same(
    [...used].filter(
      (label) => !document.includes(`\`${label}\``) && !document.includes(`"${label}"`),
    ),
    [],
  )
})

t.test('every code in the document exists, and admission names those of its files', async (t) => {
  const codes = new Set<string>(Object.keys(errorCodes))
  const shape = /`([a-z]+(?:_[a-z]+)+)`/g
  const named = [...document.matchAll(shape)].map(([, code = '']) => code)
  t.same(
    named.filter((code) => !codes.has(code)),
    [],
  )
  const admission = document.slice(document.indexOf('## 6 '), document.indexOf('## 7 '))
  for (const file of ['admission/judge.ts', 'admission/identify.ts', 'log/decide-accept.ts']) {
    const text = await readFile(join(root, 'server/src', file), 'utf8')
    for (const [, code = ''] of text.matchAll(/'([a-z]+(?:_[a-z]+)+)'/g)) {
      if (codes.has(code)) t.match(admission, `\`${code}\``, `${file}: ${code}`)
    }
  }
})

t.test('the worked example holds the values of the test vector', async (t) => {
  const file = join(root, 'test/vectors/worked-example.json')
  const { expected } = JSON.parse(await readFile(file, 'utf8')) as {
    readonly expected: Readonly<Record<string, string | number | readonly string[]>>
  }
  const values = Object.values(expected).flat().map(String)
  t.ok(values.length >= 15, `${values.length} values`)
  t.same(
    values.filter((value) => !document.includes(value)),
    [],
  )

  /** The block of hexadecimal after a line that begins so. */
  const block = (beginning: string): Uint8Array => {
    const [, text = ''] = document.slice(document.indexOf(beginning)).split('```')
    return fromHex(text.replaceAll(/\s/g, '')) ?? new Uint8Array()
  }
  const [ctx, seal] = [block('`ctx`, 217 bytes'), block('`seal`, 118 bytes')]
  t.same([ctx.length, seal.length], [217, 118])
  const net = sha256(utf8('sir/1 example network')) as NetworkId
  t.equal(toHex(coreHashOf(net, ctx, seal)), expected['core'], 'printed bytes give the core hash')
})
