/**
 * Spans of time that pages show: so many days, weeks or months up to a day, with a name for each
 * period in it, those of the journal.
 * @module
 */

/** How many periods are shown at a time. */
const COUNTS = { day: 28, week: 26, month: 13 };

/** @typedef {keyof typeof COUNTS} Period */
/** @typedef {{period: string, label: string, title: string}} Slot a period: its name in the journal, a short and a long one for people */

export const PERIODS = /** @type {Period[]} */ (Object.keys(COUNTS));

export class Span {
  /**
   * @param {Period} by
   * @param {number} back so many spans before the one that ends now
   * @param {string} language
   * @param {Date} [now]
   */
  constructor(by, back, language, now = new Date()) {
    this.by = by;
    this.back = back;
    this.language = language;
    const count = COUNTS[by];
    const last = first(by, now);
    /** @type {Date[]} when each period begins, and when the last one ends */
    this.starts = Array.from({ length: count + 1 }, (_, i) => step(by, last, i + 1 - count * (back + 1)));
    this.from = this.starts[0];
    this.to = this.starts[count];
  }

  /** @returns {Slot[]} */
  get slots() {
    const format = (/** @type {Intl.DateTimeFormatOptions} */ options) => new Intl.DateTimeFormat(this.language, options);
    const day = format({ day: "numeric", month: "short" });
    const month = format({ month: "short", year: "2-digit" });
    const long = {
      day: format({ weekday: "short", day: "numeric", month: "long", year: "numeric" }),
      month: format({ month: "long", year: "numeric" }),
    };
    return this.starts.slice(0, -1).map((start, i) => {
      const period = name(this.by, start);
      if (this.by === "month") return { period, label: month.format(start), title: long.month.format(start) };
      if (this.by === "day") return { period, label: day.format(start), title: long.day.format(start) };
      const end = step("day", this.starts[i + 1], -1);
      return { period, label: day.format(start), title: long.day.formatRange(start, end) };
    });
  }

  /** Its first and last day, in words. */
  get title() {
    const format = new Intl.DateTimeFormat(this.language, { day: "numeric", month: "short", year: "numeric" });
    return format.formatRange(this.from, step("day", this.to, -1));
  }
}

/**
 * When the period around a moment begins, on this browser's clock.
 * @param {Period} by
 * @param {Date} moment
 */
function first(by, moment) {
  const day = new Date(moment.getFullYear(), moment.getMonth(), by === "month" ? 1 : moment.getDate());
  // A week begins on Monday.
  return by === "week" ? step("day", day, -((day.getDay() + 6) % 7)) : day;
}

/**
 * So many periods later. Days differ in length where the clock is changed.
 * @param {Period} by
 * @param {Date} start
 * @param {number} count
 */
function step(by, start, count) {
  const [year, month, day] = [start.getFullYear(), start.getMonth(), start.getDate()];
  if (by === "month") return new Date(year, month + count, day);
  return new Date(year, month, day + count * (by === "week" ? 7 : 1));
}

/**
 * As the journal calls it: `2026-11-26`, `2026-W48`, `2026-11`.
 * @param {Period} by
 * @param {Date} start
 */
function name(by, start) {
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const month = `${start.getFullYear()}-${two(start.getMonth() + 1)}`;
  if (by === "month") return month;
  if (by === "day") return `${month}-${two(start.getDate())}`;
  // ISO 8601: the year of a week is that of its Thursday.
  const thursday = step("day", start, 3);
  const days = Math.round((thursday.getTime() - new Date(thursday.getFullYear(), 0, 1).getTime()) / 86_400_000);
  return `${thursday.getFullYear()}-W${two(Math.floor(days / 7) + 1)}`;
}
