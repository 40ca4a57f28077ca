/**
 * Leaves of the validators of wire structures only whether a value fits. Nobody reads why a frame does
 * not: its sender is a program. What ajv writes to say it is two thirds of the code, which browsers
 * have to load.
 *
 * @param code What ajv writes with `allErrors` off, for schemas without references, after equal code was merged.
 * @returns The same validators; after `false` they have no `errors`.
 * @throws Error when something of the reasons is left, because ajv writes them in another way.
 */
export function withoutErrors(code: string): string {
  const bare = code
    .replace(/^validate\d+\.errors = .*;\n/gm, '')
    .replace(
      /^const err\d+ = .*;\nif\(vErrors === null\)\{\nvErrors = \[err\d+\];\n\}\nelse \{\nvErrors\.push\(err\d+\);\n\}\n/gm,
      '',
    )
    .replace(
      /^if\(vErrors !== null\)\{\nif\(_errs\d+\)\{\nvErrors\.length = _errs\d+;\n\}\nelse \{\nvErrors = null;\n\}\n\}\n/gm,
      '',
    )
    .replace(/^let vErrors = null;\n/gm, '')
    .replace(/^let missing\d+;\n/gm, '')
    .replace(/\((data\d*\.\w+ === undefined)\) && \(missing\d+ = "\w+"\)/g, '$1')
    // Which fields were looked at matters to keywords that these schemas do not have.
    .replace(/^const evaluated0 = .*;\n(?:if\(evaluated0\.\w+\)\{\n.*\n\}\n)+/gm, '')
    .replace(/^validate\d+\.evaluated = .*\n?/gm, '')
    .replace(/^\/\*# sourceURL=.*\n/gm, '')
    .replace(/\(data, \{instancePath="".*\}=\{\}\)\{/g, '(data){')
    .replace(
      /\(\(typeof (data\d*) == "number"\) && \(!\(\1 % 1\) && !isNaN\(\1\)\)\) && \(isFinite\(\1\)\)/g,
      'Number.isInteger($1)',
    )
  const left = /vErrors|instancePath|missing\d|\.errors|evaluated/.exec(bare)
  if (left !== null) throw new Error(`the reasons are not written as they were: ${left[0]}`)
  return bare
}
