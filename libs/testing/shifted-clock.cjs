// Preloaded into a process whose clock is to be wrong: `Date` is off by TIDINGS_CLOCK_SHIFT_MS, whatever asks it. Timers go on as they are.
const shiftMs = Number(process.env.TIDINGS_CLOCK_SHIFT_MS);
const Real = Date;

globalThis.Date = class Date extends Real {
  constructor(...given) {
    if (given.length > 0) super(...given);
    else super(Real.now() + shiftMs);
  }
  static now() {
    return Real.now() + shiftMs;
  }
};
