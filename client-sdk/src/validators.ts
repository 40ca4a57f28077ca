/**
 * The validators of report bodies. They are larger than everything else of the SDK together, so they
 * come as a part of their own, once something is to be sent or opened.
 *
 * @throws the loader's error when that part cannot be loaded; nothing is taken for valid then.
 */
export const loadValidators = (): Promise<typeof import('@liaison/schemas/reports')> =>
  import('@liaison/schemas/reports')
