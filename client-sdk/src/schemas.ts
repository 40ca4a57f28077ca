/** Validation of reports, loaded only by who needs it: the validators are larger than the rest. */
export * from '@liaison/schemas'
export * from '@liaison/schemas/reports'
