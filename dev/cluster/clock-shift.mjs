import { readFileSync } from 'node:fs';

/** Shifts the clock of this process by the milliseconds in the file CLOCK_SHIFT_FILE. */
const READ_EVERY_MS = 200;
const System = Date;
let offset = 0;

function read() {
  try {
    const ms = Number(readFileSync(process.env.CLOCK_SHIFT_FILE ?? '', 'utf8'));
    if (Number.isFinite(ms)) offset = ms;
  } catch {
    // No file yet: no shift.
  }
}

class ShiftedDate extends System {
  /** @param {ConstructorParameters<typeof System>} values */
  constructor(...values) {
    if (values.length === 0) super(System.now() + offset);
    else super(...values);
  }

  static now() {
    return System.now() + offset;
  }

  /** @param {unknown} value */
  static [Symbol.hasInstance](value) {
    return value instanceof System;
  }
}

read();
setInterval(read, READ_EVERY_MS).unref();
Reflect.set(globalThis, 'Date', ShiftedDate);
