/** Loaded before a program, makes its clock, and that of its children, run two years ahead. */
const ahead = 2 * 365 * 24 * 3600 * 1000
const RealDate = Date

globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + ahead)
    else super(...args)
  }

  static now() {
    return RealDate.now() + ahead
  }
}
