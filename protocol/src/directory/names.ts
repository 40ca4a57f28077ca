/**
 * The form in which names are compared: compatibility characters, letter case and outer spaces do
 * not make two names different. Folding twice catches letters whose capital has another small form.
 */
export const foldName = (name: string): string =>
  name.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC').trim()

/** A folded name with the characters that people misread for each other made equal. */
export const skeletonOf = (name: string): string =>
  foldName(name).replaceAll('0', 'o').replaceAll('1', 'l')

/** How many different organisations a list names. */
export const organisationCount = (holders: Iterable<{ readonly org: string }>): number =>
  new Set(Array.from(holders, (holder) => foldName(holder.org))).size
