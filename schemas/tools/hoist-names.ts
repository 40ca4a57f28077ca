/**
 * ajv writes the whole definition of an object's fields into the test of every single field name, so a
 * validator would build it anew for each. A set of the names, made once, says the same.
 *
 * @param code What ajv writes for stand-alone use.
 * @throws Error when a definition does not end where it should.
 */
export function hoistNames(code: string): string {
  const sets = new Map<string, string>()
  let out = ''
  let at = 0
  for (let from = code.indexOf(before, at); from !== -1; from = code.indexOf(before, at)) {
    const literal = balanced(code, from + before.length - 1)
    const names = JSON.stringify(Object.keys(JSON.parse(literal) as object))
    const name = sets.get(names) ?? `names${sets.size}`
    sets.set(names, name)
    out += `${code.slice(at, from)}${name}.has(`
    at = from + before.length - 1 + literal.length
    if (!code.startsWith(', ', at)) throw new Error('a definition does not end in its field name')
    at += 2
  }
  const rest = (out + code.slice(at)).replace(/^const func1 = .*;\n/gm, '')
  const made = [...sets].map(([names, name]) => `const ${name} = new Set(${names});`)
  return [...made, rest].join('\n')
}

const before = 'func1.call({'

/** The object literal that begins at `from`; braces inside its strings do not count. */
function balanced(code: string, from: number): string {
  let depth = 0
  let isText = false
  for (let at = from; at < code.length; at++) {
    const char = code[at]
    if (isText) {
      if (char === '\\') at++
      else if (char === '"') isText = false
    } else if (char === '"') isText = true
    else if (char === '{') depth++
    else if (char === '}' && --depth === 0) return code.slice(from, at + 1)
  }
  throw new Error('a definition does not end')
}
