const coreHashLength = 64

/**
 * Whether a reference to a report is the core hash of an envelope and not the report's own id. An id
 * names a report; only the hash says which bytes were meant, so what proves something is named by it.
 */
export const isCoreHash = (reference: string): boolean => reference.length === coreHashLength
