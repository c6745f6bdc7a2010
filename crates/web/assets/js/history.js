/** What each face showed in a span of time, in bins of equal length. Its size is bounded. @module */

const MOST_FACES = 40;

/**
 * @typedef {{label: string, sure: boolean, confidence: number}} Sample
 * @typedef {{faceId: string, bins: Map<number, Sample>, first: number, last: number}} Row bins by number
 */

export class History {
  /**
   * @param {object} options
   * @param {number} options.bin_secs
   * @param {number} options.span_secs older bins are forgotten; Infinity keeps all
   */
  constructor({ bin_secs, span_secs }) {
    this.bin_secs = bin_secs;
    this.span_secs = span_secs;
    /** @type {Map<string, Row>} in the order in which they came */
    this.rows = new Map();
    /** @type {{time_secs: number, text: string}[]} things that happened, oldest first */
    this.ticks = [];
  }

  /**
   * @param {number} time_secs on any clock, always the same
   * @param {import("./types.js").Person[]} people
   */
  add(time_secs, people) {
    const bin = Math.floor(time_secs / this.bin_secs);
    for (const { face_id, label, sure, confidence } of people) {
      const row = this.rows.get(face_id) ?? { faceId: face_id, bins: new Map(), first: bin, last: bin };
      row.bins.set(bin, { label, sure, confidence });
      row.last = bin;
      this.rows.set(face_id, row);
    }
    this.#forget(bin - Math.ceil(this.span_secs / this.bin_secs));
  }

  /**
   * @param {number} time_secs
   * @param {string} text
   */
  tick(time_secs, text) {
    this.ticks.push({ time_secs, text });
    this.ticks = this.ticks.slice(-100);
  }

  clear() {
    this.rows.clear();
    this.ticks = [];
  }

  /**
   * The label that a face showed most of the time, if it was sure of any.
   * @param {Row} row
   * @returns {string|null}
   */
  static mostly(row) {
    const counts = new Map();
    for (const { label, sure } of row.bins.values()) {
      if (sure) counts.set(label, (counts.get(label) ?? 0) + 1);
    }
    let most = null;
    for (const [label, count] of counts) if (count > (counts.get(most) ?? 0)) most = label;
    return most;
  }

  /** @param {number} oldest the first bin that is kept */
  #forget(oldest) {
    if (!Number.isFinite(oldest)) return;
    for (const [id, row] of this.rows) {
      if (row.last < oldest) this.rows.delete(id);
      for (const bin of row.bins.keys()) {
        if (bin >= oldest) break;
        row.bins.delete(bin);
      }
    }
    const surplus = this.rows.size - MOST_FACES;
    for (const id of [...this.rows.keys()].slice(0, Math.max(0, surplus))) this.rows.delete(id);
    this.ticks = this.ticks.filter(({ time_secs }) => time_secs >= oldest * this.bin_secs);
  }
}
