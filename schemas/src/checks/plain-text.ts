/** Digits and marks of the Arabic script as the checks read them. */
const arabicDigits = /[\u0660-\u0669\u06f0-\u06f9]/g
const ascii = /^[\x20-\x7e\n\t]*$/

/**
 * A text as its reader sees it, for looking things up in it: compatibility forms made plain, accents and
 * invisible characters left out, every kind of space a space, every kind of dash a hyphen.
 *
 * Marks go first, because ordering a long row of them would take quadratic time. Linear.
 */
export function plainText(text: string): string {
  if (ascii.test(text)) return text.replaceAll('\t', ' ')
  return text
    .replace(/\p{M}+/gu, '')
    .normalize('NFKC')
    .replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}\p{M}]+/gu, '')
    .replace(/[\p{Zs}\t]/gu, ' ')
    .replace(/[\p{Pd}\u2212]/gu, '-')
    .replace(/[\u060c\u066c]/g, ',')
    .replace(arabicDigits, (digit) => String((digit.codePointAt(0) ?? 0) & 15))
}

const tagCharacter = /[\u{e0000}-\u{e007f}]/u
const visible = /[^\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/u

/**
 * Whether a text shows nothing, or hides one in characters that no program shows. Joiners and marks of
 * direction within a text are part of Arabic and Persian writing and stay.
 */
export const isInvisible = (text: string): boolean =>
  tagCharacter.test(text) || (text !== '' && !visible.test(text))

/** Whether a text has the characters that hide another text. */
export const hidesText = (text: string): boolean => tagCharacter.test(text)
