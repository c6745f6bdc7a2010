/** The figures of the journal: where each is found, and how it is written. Each has its n. @module */

/**
 * @typedef {object} Figure
 * @property {number} n visits or ratings that it rests on
 * @property {number} value
 * @property {number|null} low lower end of the 95 % interval
 * @property {number|null} high
 *
 * @typedef {"count"|"share"|"secs"|"valence"|"rating"} Unit
 *
 * @typedef {object} FigureKind
 * @property {string} key of its texts: `figure.KEY` and `figure.KEY.text`
 * @property {Unit} unit
 * @property {(of: import("./journal.js").Summed) => Figure|null} of
 */

/**
 * @param {import("./journal.js").Rate|null|undefined} rate
 * @returns {Figure|null}
 */
export function ofRate(rate) {
  return rate ? { n: rate.n, value: rate.rate, low: rate.low, high: rate.high } : null;
}

/**
 * @param {import("./journal.js").Mean|null|undefined} mean
 * @returns {Figure|null}
 */
export function ofMean(mean) {
  return mean ? { n: mean.n, value: mean.mean, low: mean.low, high: mean.high } : null;
}

/**
 * @param {number} n
 * @param {number|null|undefined} value
 * @returns {Figure|null}
 */
function plain(n, value) {
  return typeof value === "number" ? { n, value, low: null, high: null } : null;
}

/** @type {FigureKind[]} */
export const VISIT_FIGURES = [
  { key: "visits", unit: "count", of: ({ visits }) => plain(visits?.visits ?? 0, visits?.visits) },
  { key: "secs_in_view", unit: "secs", of: ({ visits }) => ofMean(visits?.secs_in_view) },
  { key: "engaged", unit: "share", of: ({ visits }) => ofRate(visits?.engaged) },
  { key: "smiles", unit: "share", of: ({ visits }) => ofRate(visits?.smiles) },
  { key: "valence_at_peak", unit: "valence", of: ({ visits }) => ofMean(visits?.valence_at_peak) },
  { key: "valence_at_end", unit: "valence", of: ({ visits }) => ofMean(visits?.valence_at_end) },
  { key: "not_sure", unit: "share", of: ({ visits }) => plain(visits?.expressions?.n ?? 0, visits?.expressions?.not_sure) },
];

/** @type {FigureKind} */
export const RATING_FIGURE = { key: "rating", unit: "rating", of: ({ ratings }) => ofMean(ratings?.mean) };

/** @type {FigureKind} */
export const RATING_COUNT = { key: "ratings", unit: "count", of: ({ ratings }) => plain(ratings?.n ?? 0, ratings?.n) };

/**
 * A value without its n.
 * @param {import("./words.js").Words} words
 * @param {Unit} unit
 * @param {number} value
 */
export function written(words, unit, value) {
  switch (unit) {
    case "share": return words.percent(value);
    case "secs": return words.say("secs", { count: words.number(value, 1) });
    case "valence": return signed(words, value, 2);
    case "rating": return words.number(value, 2);
    default: return words.number(value);
  }
}

/**
 * With its sign, also where it is positive.
 * @param {import("./words.js").Words} words
 * @param {number} value
 * @param {number} digits
 */
export function signed(words, value, digits) {
  const text = words.number(Math.abs(value), digits);
  // Nothing is -0.00.
  return /[1-9]/.test(text) ? `${value < 0 ? "\u2212" : "+"}${text}` : text;
}

/**
 * The 95 % interval; nothing where there is none.
 * @param {import("./words.js").Words} words
 * @param {Unit} unit
 * @param {{low: number|null, high: number|null}} figure
 */
export function interval(words, unit, { low, high }) {
  if (low === null || high === null) return "";
  return words.say("interval", { low: written(words, unit, low), high: written(words, unit, high) });
}

/**
 * Value, interval and n in one line.
 * @param {import("./words.js").Words} words
 * @param {Unit} unit
 * @param {Figure} figure
 */
export function inFull(words, unit, figure) {
  if (unit === "count") return words.number(figure.value);
  const between = interval(words, unit, figure);
  const parts = [written(words, unit, figure.value) + (between ? ` (${between})` : ""), words.say("n", { count: words.number(figure.n) })];
  return parts.join(", ");
}

/**
 * Why there is no figure.
 * @param {import("./words.js").Words} words
 * @param {import("./journal.js").Summed|null|undefined} of nothing where nothing is known of the period
 */
export function whyNone(words, of) {
  if (!of) return words.say("none.unknown");
  if (of.health && of.health.watched_secs === 0) return words.say("none.not_watched");
  return words.say("none.few");
}
