import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Report } from '@liaison/schemas'
import type { DemoDevice } from './devices.ts'
import type { TamperItem } from './watched-link.ts'

/**
 * Defects that can be played on purpose, so that anybody can see the count notice them. Each ends the
 * demonstration with exit code 1 and the figure that stands beside it.
 */
export const sabotages = {
  drop: 'a relay that never hands one device a certain report (deliveries.shown)',
  duplicate: 'a screen that shows a report twice (deliveries.duplicatesShown)',
  plaintext: "a report's text in the relay's folder (plaintextOnRelay)",
  'late-delivery': 'a suspension that is not carried out (revocation.deliveredAfterAck)',
  'omit-flu': 'a relay that keeps a report from the FLU (flu.shown)',
  flip: 'a relay that changes a bit of a stored payload (deliveries.undecryptable)',
} as const

/** Name of a defect. */
export type Sabotage = keyof typeof sabotages

/** Whether a text names a defect. */
export const isSabotage = (text: string): text is Sabotage => Object.hasOwn(sabotages, text)

/** Sets up the defects that lie between the relay and a device, or on its screen. */
export function spoil(
  sabotage: Sabotage | null,
  devices: readonly DemoDevice[],
  isFlu: (device: number) => boolean,
): void {
  const present = devices.filter((d) => d.session !== null)
  const victim = present.find((d) => d.example.demo === undefined && !isFlu(d.number))
  if (sabotage === null || victim === undefined) return
  switch (sabotage) {
    case 'drop':
      victim.wire.tamper = onFirst(() => null)
      break
    case 'flip':
      victim.wire.tamper = onFirst((item) => {
        if (item.form !== 'full') return item
        const payload = new Uint8Array(item.payload)
        payload[0] = (payload[0] ?? 0) ^ 1
        return { ...item, payload }
      })
      break
    case 'omit-flu': {
      // One report, for all devices of the unit.
      const drop = onFirst(() => null)
      for (const device of present.filter((d) => isFlu(d.number))) device.wire.tamper = drop
      break
    }
    case 'duplicate': {
      let done = false
      victim.display = (delivery) => {
        if (done || delivery.kind !== 'report') return [delivery]
        done = true
        return [delivery, delivery]
      }
      break
    }
    default:
  }
}

/** Does something to one report, the first that comes by, and to all copies of it. */
function onFirst(change: TamperItem): TamperItem {
  let chosen: string | null = null
  return (item, core) => {
    chosen ??= core
    return core === chosen ? change(item, core) : item
  }
}

/** Leaves a report's text in the relay's folder. */
export const leak = (folder: string, report: Report): Promise<void> =>
  writeFile(join(folder, 'leaked.json'), JSON.stringify(report))
