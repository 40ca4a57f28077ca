import type { Report } from '@liaison/schemas'
import { statusWord } from './exported-report.ts'

/** A STIX 2.1 object: whatever its type says, and what all have. */
export interface StixObject {
  readonly type: string
  readonly id: string
  readonly spec_version: '2.1'
  readonly [property: string]: unknown
}

/** Which edition of the Traffic Light Protocol the consumer knows. */
export type TlpEdition = '2.0' | '1.0'

/** Extension of STIX 2.1 by which OASIS added TLP 2.0. */
const tlp2Extension = 'extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d'

type Tlp = Report['meta']['handling']['tlp']

/** Ids of the published marking objects; they are the same in every bundle of the world. */
const tlp2Ids: Readonly<Record<Tlp, string>> = {
  CLEAR: '94868c89-83c2-464b-929b-a1a8aa3c8487',
  GREEN: 'bab4a63c-aed9-4cf5-a766-dfca5abac2bb',
  AMBER: '55d920b0-5e8b-4f79-9ee9-91f868d9b421',
  'AMBER+STRICT': '939a9414-2ddd-4d32-a0cd-375ea402b003',
  RED: 'e828b379-4e03-4974-9ac4-e53a884c97c1',
}

const tlp1Ids = {
  white: '613f2e26-407d-48c7-9eca-b8e91df99dc9',
  green: '34098fce-860f-48ae-8e50-ebd3cc5e41da',
  amber: 'f88d31f6-486f-44da-b317-01333bde0b82',
  red: '5e57c739-391a-4eb3-b6be-7d15ca92d5ed',
} as const

/** The older edition has no strict amber, and no label is ever lowered: that becomes red. */
const tlp1Of: Readonly<Record<Tlp, keyof typeof tlp1Ids>> = {
  CLEAR: 'white',
  GREEN: 'green',
  AMBER: 'amber',
  'AMBER+STRICT': 'red',
  RED: 'red',
}

/** The published marking object of a TLP label. */
export function tlpMarking(tlp: Tlp, edition: TlpEdition): StixObject {
  if (edition === '1.0') {
    const old = tlp1Of[tlp]
    return {
      type: 'marking-definition',
      spec_version: '2.1',
      id: `marking-definition--${tlp1Ids[old]}`,
      created: '2017-01-20T00:00:00.000Z',
      definition_type: 'tlp',
      name: `TLP:${old.toUpperCase()}`,
      definition: { tlp: old },
    }
  }
  return {
    type: 'marking-definition',
    spec_version: '2.1',
    id: `marking-definition--${tlp2Ids[tlp]}`,
    created: '2022-10-01T00:00:00.000Z',
    name: `TLP:${tlp}`,
    extensions: {
      [tlp2Extension]: { extension_type: 'property-extension', tlp_2_0: tlp.toLowerCase() },
    },
  }
}

/** What a report says about handling beside its label, in words; null when it says no more. */
export function caveatOf(report: Report): string | null {
  const { tlp: _label, ...more } = report.meta.handling
  const parts = Object.entries(more as Readonly<Record<string, unknown>>).map(([name, value]) => {
    if (name === 'orcon') return value === true ? 'Originator controlled' : null
    if (name === 'releasableTo') return `Releasable to ${(value as readonly string[]).join(', ')}`
    return `${name}: ${String(value)}`
  })
  const said = parts.filter((part) => part !== null)
  const word = statusWord(report)
  if (word !== null) said.unshift(`${word} ${word} ${word}`)
  return said.length === 0 ? null : said.join('. ')
}
