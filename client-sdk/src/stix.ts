/**
 * Reports for other software: STIX 2.1, tables, maps, MISP. What leaves here is plain text; whoever
 * calls this answers for the handling that each report asks for. `@liaison/client-sdk/stix`.
 */
export type { ExportedReport, ExportOptions, LeftOut } from './export/exported-report.ts'
export { toMispFeed } from './export/misp.ts'
export { selectForExport } from './export/selection.ts'
export { type StixBundle, type StixOptions, toStix } from './export/stix.ts'
export type { StixObject, TlpEdition } from './export/stix-markings.ts'
export { type FeatureCollection, toCsv, toGeoJson } from './export/tables.ts'
