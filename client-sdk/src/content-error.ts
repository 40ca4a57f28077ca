import { RelayError } from '@liaison/protocol'
import type { Problem } from '@liaison/schemas'

/** A report that does not match its schema: what is wrong, field by field. */
export class ContentError extends RelayError {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    const [first] = problems
    super('content_invalid', first === undefined ? {} : { field: first.pointer })
    this.problems = problems
  }
}
