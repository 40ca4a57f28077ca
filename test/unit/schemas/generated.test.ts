import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as wire from '@liaison/schemas/wire'
import t from 'tap'
import { bundle } from '../../../schemas/tools/bundle.ts'
import { bodyFiles, wireFiles } from '../../../schemas/tools/generated-files.ts'
import { mergeEqualCode } from '../../../schemas/tools/merge-code.ts'
import { camelCase, forCborValues, validatorModule } from '../../../schemas/tools/validators.ts'

const root = fileURLToPath(new URL('../../../schemas/', import.meta.url))

t.test('what is committed is what the sources give', async (t) => {
  const files = new Map([...(await wireFiles(root)), ...(await bodyFiles(root))])
  for (const [path, text] of files) {
    t.ok((await readFile(join(root, path), 'utf8')) === text, `${path} is up to date`)
  }
  const listed = async (folder: string): Promise<readonly string[]> =>
    (await readdir(join(root, folder))).map((file) => `${folder}/${file}`)
  t.same(
    [...(await listed('src/generated')), ...(await listed('published'))].sort(),
    [...files.keys()].sort(),
    'and nothing else lies there',
  )
})

t.test('generated code is self-contained', async (t) => {
  for (const file of ['wire', 'bodies']) {
    const text = await readFile(join(root, 'src', 'generated', `${file}.ts`), 'utf8')
    const imports = [...text.matchAll(/from '([^']+)'/g)].map((match) => match[1])
    t.same(
      imports.filter((path) => path !== '../runtime.ts' && path !== '../formats.ts'),
      [],
    )
    t.notMatch(text, /\brequire\(|\beval\(|new Function/)
  }
})

t.test('every wire schema is exported', async (t) => {
  const names = (await readdir(join(root, 'wire'))).map((file) =>
    camelCase(file.replace('.schema.json', '')),
  )
  t.same(Object.keys(wire).sort(), names.sort())
})

t.test('the generator refuses what it cannot express', (t) => {
  t.throws(() => forCborValues({ type: 'string', contentEncoding: 'base64url' }), /maxLength/)
  t.throws(
    () => bundle({ $id: 'urn:liaison:a:1', properties: { b: { $ref: '#/$defs/none' } } }, []),
    /no such definition/,
  )
  const schema = { $id: 'urn:liaison:a:1', type: 'object', colour: 'red' }
  t.throws(() => validatorModule([{ name: 'a', schema }], 'json'), /unknown keyword/)
  t.end()
})

t.test('equal functions are merged, through those that call them', (t) => {
  const validator = (name: string, callee: string): string =>
    `function ${name}(data){\nreturn ${callee}(data);\n}\n${name}.evaluated = {};`
  const code = [
    'export const a: Validate = validate1 as Validate;',
    'export const b: Validate = validate2 as Validate;',
    'const schema1 = {"x":{"enum":["p","q"]}};',
    validator('validate1', 'validate3'),
    validator('validate2', 'validate4'),
    validator('validate3', 'check'),
    validator('validate4', 'check'),
    'export const c = schema1["x"].enum[1];',
  ].join('\n')
  t.equal(
    mergeEqualCode(code),
    [
      'export const a: Validate = validate1 as Validate;',
      'export const b: Validate = validate1 as Validate;',
      validator('validate1', 'validate3'),
      validator('validate3', 'check'),
      'export const c = "q";',
    ].join('\n'),
  )
  t.throws(() => mergeEqualCode('function validate1(data){\n}'), /the end of validate1/)
  t.throws(() => mergeEqualCode('const schema1 = {};\nschema1.enum'), /no value at schema1\.enum/)
  t.end()
})
