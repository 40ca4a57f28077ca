import { clientLimits } from '@liaison/client-sdk'
import { type Device, type Directory, type EpochMs, weekMs, weekOf } from '@liaison/protocol'
import { clean, counted, moment } from './output.ts'

const dayMs = 86_400_000

/** How long an enrolment and its published keys still last. */
export interface KeyState {
  readonly device: number
  readonly member: string
  readonly role: Device['role']
  readonly label: string | null
  /** As the directory at hand says. */
  readonly state: Device['state']
  readonly active: boolean
  readonly since: string
  readonly until: string
  readonly daysLeft: number
  /** Weeks, the present one included, for which others can seal to this device. */
  readonly keyWeeksLeft: number
  readonly keyDaysLeft: number
  readonly warnings: readonly string[]
}

/** Reads the state of a device's enrolment and keys out of a directory. */
export function keyStateOf(directory: Directory, device: Device, now: EpochMs): KeyState {
  const week = weekOf(now, directory.genesisT)
  const keyEnd = directory.genesisT + (device.lastWeek + 1) * weekMs
  const daysLeft = daysUntil(device.notAfter, now)
  const keyDaysLeft = daysUntil(keyEnd, now)
  const [soon, urgent] = clientLimits.expiryWarningDays
  const warn = (days: number, what: string, remedy: string): string[] =>
    days > soon
      ? []
      : [`${days <= urgent ? 'URGENT: ' : ''}${what} in ${counted(days, 'day')}. ${remedy}`]
  return {
    device: device.num,
    member: directory.member(device.mem)?.code ?? String(device.mem),
    role: device.role,
    label: device.label ?? null,
    state: device.state,
    active: directory.deviceActive(device.num, now),
    since: new Date(device.notBefore).toISOString(),
    until: new Date(device.notAfter).toISOString(),
    daysLeft,
    keyWeeksLeft: Math.max(0, device.lastWeek - week + 1),
    keyDaysLeft,
    warnings: [
      ...warn(daysLeft, 'The enrolment ends', 'Ask the administrators to enrol a new identity.'),
      ...warn(
        keyDaysLeft,
        'The published keys end',
        'Connect once: they are renewed by themselves.',
      ),
    ],
  }
}

const daysUntil = (t: number, now: number): number => Math.max(0, Math.floor((t - now) / dayMs))

/** The state as lines for a person. */
export const keyStateLines = (state: KeyState): string[] => [
  `Device     ${state.device} of ${state.member}, ${state.role}${state.label === null ? '' : `, ${clean(state.label)}`}`,
  `State      ${state.active ? 'active' : state.state === 'active' ? 'not active' : state.state}`,
  `Enrolled   since ${moment(Date.parse(state.since))}, until ${moment(Date.parse(state.until))} (${counted(state.daysLeft, 'day')})`,
  `Keys       ${counted(state.keyWeeksLeft, 'week')} published (${counted(state.keyDaysLeft, 'day')})`,
  ...state.warnings.map((warning) => `Warning    ${warning}`),
]
