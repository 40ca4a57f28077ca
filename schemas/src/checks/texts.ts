import type { ControlBody, Report } from '../generated/types.ts'
import { type Problem, problem } from '../problem.ts'
import { hidesText, isInvisible, plainText } from './plain-text.ts'
import { walk } from './walk.ts'

/** A label as people write it: `TLP:RED`, `TLP  =  Red`, `tlp_amber-strict`. */
const label =
  /(?<!\p{L})T ?L ?P[\s\p{P}\p{S}]{0,6}(RED|AMBER[\s\p{P}+]{0,2}STRICT|AMBER|GREEN|CLEAR|WHITE)(?!\p{L})/giu

/**
 * What holds for every text of a body, wherever it stands: it can be seen, and names no other label
 * than that of the report, because some readers would believe it.
 */
export function checkTexts(body: Report | ControlBody): readonly Problem[] {
  const problems: Problem[] = []
  const tlp = 'meta' in body && 'handling' in body.meta ? body.meta.handling.tlp : null
  walk(body, '', (key, value, pointer) => {
    if (typeof value !== 'string') return
    // Extensions are kept verbatim, so an empty one is nobody's fault; hidden text is.
    const unseen = pointer.startsWith('/x/') ? hidesText(value) : isInvisible(value)
    if (unseen) problems.push(problem(pointer, 'invisible_text'))
    // An address of a document about labels may have their names in it.
    if (tlp !== null && key !== 'url' && namesOther(value, tlp))
      problems.push(problem(pointer, 'tlp_in_text'))
  })
  return problems
}

function namesOther(text: string, own: string): boolean {
  if (text.length < 6) return false
  for (const [, found = ''] of plainText(text).matchAll(label)) {
    const name = /strict$/i.test(found) ? 'AMBER+STRICT' : found.toUpperCase()
    if (name !== own) return true
  }
  return false
}
