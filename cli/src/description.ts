import type { NetworkDescription } from '@liaison/client-sdk/admin'

/**
 * The small network that `liaison admin genesis --quick` sets up when no description is given: the
 * Fusion and Liaison Unit, two states and three exercise topics. Same form as
 * keys-example/network.json.
 */
export const builtInDescription: NetworkDescription = {
  members: [
    {
      code: 'FLU',
      kind: 'organisation',
      names: { fr: 'Unité de fusion et de liaison (UFL)', en: 'Fusion and Liaison Unit (FLU)' },
    },
    { code: 'ML', kind: 'state', names: { fr: 'Mali', en: 'Mali' } },
    { code: 'NE', kind: 'state', names: { fr: 'Niger', en: 'Niger' } },
  ],
  topics: [
    {
      name: 'terrorism',
      titles: { fr: 'Terrorisme', en: 'Terrorism' },
      status: 'exercise',
      schemas: ['spotrep', 'intrep', 'warning'],
    },
    {
      name: 'border-security',
      titles: { fr: 'Sécurité des frontières', en: 'Border security' },
      status: 'exercise',
      schemas: ['border-measure', 'spotrep', 'warning'],
    },
    {
      name: 'rfi',
      titles: { fr: "Demandes d'information", en: 'Requests for information' },
      status: 'exercise',
      schemas: ['rfi'],
    },
  ],
  grants: [
    { topic: 'terrorism', members: ['FLU', 'ML', 'NE'], publish: true, read: true, clearance: 4 },
    {
      topic: 'border-security',
      members: ['FLU', 'ML', 'NE'],
      publish: true,
      read: true,
      clearance: 4,
    },
    { topic: 'rfi', members: ['FLU', 'ML', 'NE'], publish: true, read: true, clearance: 4 },
  ],
}
