import { hasLongNumber } from './long-number.ts'
import { plainText } from './plain-text.ts'

/** An address of electronic mail; one character before the sign is enough, and keeps the search linear. */
const mailAddress = /[^\s@] ?(?:@|[([]at[)\]]) ?(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2}/iu
/** Ids of reports and hashes are long and have digits, but point to no person. */
const names =
  /(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?![0-9a-f])/gi

/** Whether a text holds a mail address, or a number that may be a telephone's or a person's. */
export function identifiesPerson(text: string): boolean {
  const plain = plainText(text).replace(names, '#')
  return mailAddress.test(plain) || hasLongNumber(plain)
}

/** Whether a text holds a mail address. An address of a document may have long numbers of its own. */
export const hasMailAddress = (text: string): boolean => mailAddress.test(plainText(text))

/** Whether a code is a number of eight digits or has one in it; codes may have digits of their own. */
export const isNumberAsCode = (code: string): boolean =>
  /\d{8}/.test(code) || (/^[\d._-]+$/.test(code) && code.replace(/\D/g, '').length >= 8)

/** Words in names of fields that hold what identifies a person, in the languages of the network. */
const personalWords = new Set(
  (
    'person persona surname firstname lastname fullname passport phone telephone tel mobile gsm whatsapp ' +
    'email courriel birth birthdate birthday dob born fingerprint fingerprints biometric biometrics iris ' +
    'photo face idcard idnumber nin prenom naissance passeport sobrenome telefone nascimento ' +
    'passaporte telemovel هاتف جواز'
  ).split(' '),
)
/** Names of a field that says no more than that it is a name. */
const bareNames = new Set(['name', 'nom', 'nome', 'اسم'])
/** Words that make a name one of a person. */
const ofPerson = new Set(
  'first last full given family maiden middle nick sur father mother head contact holder child'.split(
    ' ',
  ),
)

/** Whether a field is named as one that holds what identifies a person: `phoneNumber`, `date_of_birth`, `name`. */
export function isPersonalField(key: string): boolean {
  const words = plainText(key.slice(0, 200))
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/([\p{Ll}\p{Nd}])(?=\p{Lu})/gu, '$1 ')
    .toLowerCase()
    .split(/[^\p{L}\p{Nd}]+/u)
    .filter((word) => word !== '')
  if (words.length === 1 && bareNames.has(words[0] ?? '')) return true
  return words.some((word, i) => {
    const next = words[i + 1] ?? ''
    if (personalWords.has(word) || personalWords.has(word + next)) return true
    return (ofPerson.has(word) && next === 'name') || (word === 'id' && next === 'card')
  })
}
