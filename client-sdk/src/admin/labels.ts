import type { Directory } from '@liaison/protocol'

/** A member by code and name, or by number when it is unknown. */
export function memberLabel(directory: Directory, num: number): string {
  const member = directory.member(num)
  if (member === null) return `member ${num}`
  const name = member.name.en ?? member.name.fr ?? member.name.pt ?? member.name.ar
  return name === undefined || name === member.code ? member.code : `${member.code}, ${name}`
}

/** A device by number, member and label. */
export function deviceLabel(directory: Directory, num: number): string {
  const device = directory.device(num)
  if (device === null) return `device ${num}`
  const code = directory.member(device.mem)?.code ?? `member ${device.mem}`
  return `device ${num}, ${code}${device.label === undefined ? '' : `, ${device.label}`}`
}

/** A topic by name. */
export const topicLabel = (directory: Directory, num: number): string =>
  directory.topic(num)?.name ?? `topic ${num}`

/** An administrator by organisation and name. */
export function adminLabel(directory: Directory, num: number): string {
  const admin = directory.admins().admins.get(num)
  return admin === undefined ? `administrator ${num}` : `${admin.org}: ${admin.name}`
}
