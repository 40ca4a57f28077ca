import { bodyLimits, parseBody, parseText, validateReport } from '@liaison/schemas/reports'
import t from 'tap'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const codeOf = (text: string): unknown => {
  const parsed = parseBody(bytes(text))
  return parsed.ok ? parsed.value : parsed.problems[0]?.code
}
const placeOf = (text: string): unknown => {
  const parsed = parseBody(bytes(text))
  return parsed.ok ? null : [parsed.problems[0]?.code, parsed.problems[0]?.pointer]
}

t.test('takes what JSON.parse takes', (t) => {
  for (const text of [
    '{"a":1,"b":[1,{"a":2}],"c":{"a":3}}',
    ' [ -0.5e-3 , "a\\"b\\\\" , true , false , null ] ',
    '{"":{"":{}}}',
    '{"a:":"\\":{}[],","b":"𞤀\\ud83d\\ude00"}',
    '"text"',
    '9007199254740991',
  ]) {
    t.same(codeOf(text), JSON.parse(text), text)
  }
  t.end()
})

t.test('attack 19: refuses duplicate keys, however they are written', (t) => {
  t.same(placeOf('{"a":1,"a":1}'), ['duplicate_key', '/a'])
  t.same(placeOf('{"a":1,"\\u0061":2}'), ['duplicate_key', '/a'])
  t.same(placeOf('[0,{"b":{"x/y":[],"z":{},"x/y" :1}}]'), ['duplicate_key', '/1/b/x~1y'])
  t.same(placeOf(`{"${'k'.repeat(100)}":1,"${'k'.repeat(100)}":2}`), ['duplicate_key', ''])
  t.end()
})

t.test('attack 20: refuses keys with a meaning in JavaScript', (t) => {
  for (const key of ['__proto__', 'constructor', 'prototype', '\\u005f_proto__']) {
    t.same(placeOf(`{"a":{"${key}":{}}}`), ['forbidden_key', '/a'], key)
  }
  t.end()
})

t.test('refuses depth before parsing, without recursion', (t) => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  t.notSame(codeOf(nested(bodyLimits.depthMax)), 'too_deep')
  t.equal(codeOf(nested(bodyLimits.depthMax + 1)), 'too_deep')
  t.equal(codeOf('['.repeat(1_000_000)), 'too_deep')
  t.equal(codeOf('{"a":'.repeat(150_000)), 'too_deep')
  t.end()
})

t.test('refuses too much', (t) => {
  const padded = (length: number): Uint8Array => bytes(`"${'x'.repeat(length - 2)}"`)
  t.ok(parseBody(padded(bodyLimits.bytesMax)).ok)
  const large = parseBody(padded(bodyLimits.bytesMax + 1))
  t.equal(large.ok ? null : large.problems[0]?.code, 'too_large')
  t.notOk(parseText('x'.repeat(bodyLimits.bytesMax + 1)).ok)
  t.equal(codeOf(`[${'0,'.repeat(bodyLimits.valuesMax)}0]`), 'too_many_values')
  t.equal(codeOf(`[${'[],'.repeat(bodyLimits.valuesMax)}0]`), 'too_many_values')
  t.end()
})

t.test('refuses numbers that lose their value', (t) => {
  for (const number of ['9007199254740992', '-9007199254740993', '1e400', '-1e400', '1e16']) {
    t.same(placeOf(`{"a":[0,${number}]}`), ['unsafe_number', '/a/1'], number)
  }
  t.end()
})

t.test('refuses bytes that are no UTF-8, and marks', (t) => {
  for (const broken of [
    [0x22, 0xff, 0x22],
    [0x22, 0xed, 0xa0, 0x80, 0x22],
    [0x22, 0xc0, 0x80, 0x22],
  ]) {
    const parsed = parseBody(Uint8Array.from(broken))
    t.equal(parsed.ok ? null : parsed.problems[0]?.code, 'invalid_utf8')
  }
  t.equal(codeOf('\ufeff{}'), 'json_syntax')
  t.end()
})

t.test('refuses half a surrogate pair', (t) => {
  t.same(placeOf('{"a":["\\ud83d"]}'), ['lone_surrogate', '/a/0'])
  t.same(placeOf('{"a":{"\\ude00":1}}'), ['lone_surrogate', '/a'])
  t.equal(codeOf('"\\ud83d\\ude00"'), '😀')
  t.end()
})

t.test('refuses what is no JSON', (t) => {
  for (const text of [
    '',
    '{',
    '{"a"}',
    '[1,]',
    '"a',
    "'a'",
    'NaN',
    '01',
    '"\u0000"',
    '{}{}',
    ']',
  ]) {
    t.equal(codeOf(text), 'json_syntax', JSON.stringify(text))
  }
  t.equal(codeOf('1.5.2'), 'unsafe_number', 'a number that is none')
  t.end()
})

t.test('a value that did not come from JSON is refused too', (t) => {
  let asked = false
  const getter = Object.defineProperty({}, 'title', {
    enumerable: true,
    get: () => {
      asked = true
      return 'x'
    },
  })
  const cycle: unknown[] = []
  cycle.push(cycle)
  const cases: readonly (readonly [unknown, string])[] = [
    [getter, 'not_json'],
    [cycle, 'too_deep'],
    [new Date(0), 'not_json'],
    [new Uint8Array(3), 'not_json'],
    [undefined, 'not_json'],
    [() => 1, 'not_json'],
    [10n, 'not_json'],
    [Number.NaN, 'unsafe_number'],
    ['\ud83d', 'lone_surrogate'],
    [new Array(30_000).fill(0), 'too_many_values'],
    [JSON.parse('{"__proto__":1}'), 'forbidden_key'],
    [new Array(3), 'not_json'],
  ]
  for (const [x, code] of cases) {
    const result = validateReport({ type: 'spotrep', x })
    t.equal(result.ok ? null : result.problems[0]?.code, code)
  }
  t.notOk(asked, 'no getter ran')
  t.end()
})
