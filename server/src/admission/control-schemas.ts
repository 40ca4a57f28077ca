import { type ControlName, schemaHash } from '@liaison/schemas'

/** Hashes of the control schemas, which come with the release and need no directory entry. */
export const controlSchemaHashes: Readonly<Record<ControlName, Uint8Array>> = {
  feedback: schemaHash('feedback'),
  recall: schemaHash('recall'),
  release: schemaHash('release'),
  violation: schemaHash('violation'),
}
