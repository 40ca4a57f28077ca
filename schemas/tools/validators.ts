import { _, Ajv2020, type KeywordCxt } from 'ajv/dist/2020.js'
import standalone from 'ajv/dist/standalone/index.js'
import { formats } from '../src/formats.ts'
import { type Schema, type Source, withoutNotes } from './bundle.ts'
import { hoistNames } from './hoist-names.ts'
import { mergeEqualCode } from './merge-code.ts'
import { withoutErrors } from './without-errors.ts'

/** `border-measure` becomes `borderMeasure`. */
export const camelCase = (name: string): string =>
  name.replace(/-([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase())

const helpers: Readonly<Record<string, string>> = {
  'ajv/dist/runtime/ucs2length': 'codePointLength',
  'ajv/dist/runtime/equal': 'deepEqual',
}

/**
 * Turns a wire schema, which describes the JSON view of a structure, into one for its decoded CBOR
 * value: what is base64url text there is bytes here.
 *
 * @throws Error when a byte string has no bounds, which every one of ours must have.
 */
export function forCborValues(node: unknown, isMap = false): unknown {
  if (Array.isArray(node)) return node.map((item) => forCborValues(item))
  if (typeof node !== 'object' || node === null) return node
  const schema = node as Schema
  if (!isMap && schema['contentEncoding'] === 'base64url') {
    const { minLength, maxLength } = schema
    if (typeof minLength !== 'number' || typeof maxLength !== 'number')
      throw new Error('a byte string needs minLength and maxLength')
    return { byteLength: [Math.floor((minLength * 3) / 4), Math.floor((maxLength * 3) / 4)] }
  }
  const out: Schema = {}
  for (const [key, value] of Object.entries(schema)) {
    out[key] = forCborValues(value, !isMap && (key === 'properties' || key === '$defs'))
  }
  // For ajv anything that is no array and not null is an object, bytes included.
  if (!isMap && out['type'] === 'object') out['notBytes'] = true
  return out
}

function addCborKeywords(ajv: Ajv2020): void {
  ajv.addKeyword({
    keyword: 'byteLength',
    schemaType: 'array',
    code(cxt: KeywordCxt) {
      const [least, most] = cxt.schema as readonly [number, number]
      const { data } = cxt
      cxt.fail(
        _`!(${data} instanceof Uint8Array) || ${data}.length < ${least} || ${data}.length > ${most}`,
      )
    },
  })
  ajv.addKeyword({
    keyword: 'notBytes',
    schemaType: 'boolean',
    code(cxt: KeywordCxt) {
      cxt.fail(_`${cxt.data} instanceof Uint8Array`)
    },
  })
}

/** How the values look that a module of validators is for. */
export type Target = 'json' | 'cbor'

/** ajv with schemas added, as the validators of a module are made from it. */
export function compilerOf(sources: readonly Source[], target: Target): Ajv2020 {
  const ajv = new Ajv2020({
    strict: true,
    // `then` requires fields that are declared beside it, not in it.
    strictRequired: false,
    strictTypes: false,
    strictTuples: false,
    allErrors: target === 'json',
    messages: false,
    // One function per definition: smaller, and every schemaPath names the definition.
    inlineRefs: false,
    $data: false,
    coerceTypes: false,
    useDefaults: false,
    removeAdditional: false,
    unicodeRegExp: true,
    validateFormats: true,
    formats: { ...formats },
    code: { source: true, esm: true, lines: true, formats: _`formats` },
  })
  addCborKeywords(ajv)
  for (const { schema } of sources) {
    const bare = withoutNotes(schema)
    ajv.addSchema((target === 'cbor' ? forCborValues(bare) : bare) as Schema)
  }
  return ajv
}

/**
 * Compiles schemas to one module of stand-alone validators.
 *
 * @param sources Self-contained schemas; each gets an export with its name in camel case.
 * @param target Values of JSON get every error, for a person has to correct them; frames only fit or do not.
 * @returns TypeScript source that imports only the helpers of `src/`. It holds no `require`, no `eval`.
 * @throws Error when ajv's strict mode refuses a schema, or when the code still needs a module that we do not replace.
 */
export function validatorModule(sources: readonly Source[], target: Target): string {
  const ajv = compilerOf(sources, target)
  const exported = Object.fromEntries(
    sources.map(({ name, schema }) => [camelCase(name), schema['$id'] as string]),
  )
  const generate = standalone as unknown as { default: typeof standalone.default }
  const code = hoistNames(mergeEqualCode(generate.default(ajv, exported)))
  return finish(target === 'json' ? code : withoutErrors(code))
}

/** Turns ajv's output into a module of ours: imports instead of `require`, and a written type on each export. */
function finish(code: string): string {
  const used = new Set<string>()
  const body = code
    .replace('"use strict";', '')
    .replace(/require\("([^"]+)"\)\.default/g, (_match, path: string) => {
      const helper = helpers[path]
      if (helper === undefined)
        throw new Error(`generated code needs ${path}, for which there is no helper`)
      used.add(helper)
      return helper
    })
    .replace(/\bvErrors\.concat\(/g, () => {
      used.add('joinErrors')
      return 'joinErrors(vErrors, '
    })
    .replace(/^export const (\w+) = (\w+);/gm, 'export const $1: Validate = $2 as Validate;')
  if (/\brequire\b|\bnew Function\b|\beval\b/.test(body))
    throw new Error('generated code is not self-contained')
  const imports = ["import type { Validate } from '../runtime.ts'"]
  if (used.size > 0)
    imports.unshift(`import { ${[...used].sort().join(', ')} } from '../runtime.ts'`)
  if (/\bformats\b[.[]/.test(body)) imports.unshift("import { formats } from '../formats.ts'")
  return `// Generated by scripts/generate.ts. Do not edit.\n// @ts-nocheck\n${imports.join('\n')}\n${body.trim()}\n`
}
