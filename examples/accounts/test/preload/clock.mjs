// Another time for the whole process: so many milliseconds later than it is.
const ahead = Number(process.env.CLOCK_AHEAD)
const Real = Date
// By its name Mongoose knows the type.
globalThis.Date = class Date extends Real {
  constructor(...given) {
    if (given.length === 0) super(Real.now() + ahead)
    else super(...given)
  }

  static now() {
    return Real.now() + ahead
  }
}
