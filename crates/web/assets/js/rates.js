/** Rates and times of the last seconds. @module */

export class Rate {
  /** @param {number} [span_ms] */
  constructor(span_ms = 2000) {
    this.span_ms = span_ms;
    /** @type {{now_ms: number, value: number}[]} */
    this.entries = [];
  }

  /** @param {number} [value] a time in ms, for the median */
  add(value = 0) {
    this.entries.push({ now_ms: performance.now(), value });
    this.#forget();
  }

  perSec() {
    this.#forget();
    const [first] = this.entries;
    const last = this.entries[this.entries.length - 1];
    if (!first || first === last) return 0;
    return ((this.entries.length - 1) * 1000) / (last.now_ms - first.now_ms);
  }

  /** @returns {number|null} */
  median() {
    this.#forget();
    const values = this.entries.map(({ value }) => value).sort((a, b) => a - b);
    return values.length ? values[Math.floor(values.length / 2)] : null;
  }

  #forget() {
    const oldest = performance.now() - this.span_ms;
    while (this.entries.length && this.entries[0].now_ms < oldest) this.entries.shift();
  }
}
