/** One strip for each face: what it showed over time, in the colours of the expressions. @module */

import { sharp, styleColor } from "./canvas.js";
import { el, setText } from "./dom.js";
import { History } from "./history.js";
import { faceNumber } from "./words.js";

const MOST_ROWS = 8;
const HOLD_BINS = 5;

export class Strips {
  /**
   * @param {import("./history.js").History} history
   * @param {import("./palette.js").Palette} palette
   * @param {import("./words.js").Words} words
   */
  constructor(history, palette, words) {
    this.history = history;
    this.palette = palette;
    this.words = words;
    /** @type {Map<string, {row: HTMLElement, canvas: HTMLCanvasElement}>} */
    this.rows = new Map();
    this.list = el("div", { class: "strips", role: "list" });
    this.more = el("p", { class: "strips-more", hidden: true });
    this.element = el("div", {}, this.list, this.more);
  }

  /**
   * Draws the strips.
   * @param {number} from_secs time at the left end
   * @param {number} to_secs at the right end
   */
  draw(from_secs, to_secs) {
    const rows = [...this.history.rows.values()];
    const visible = rows.slice(-MOST_ROWS);
    const ids = new Set(visible.map((row) => row.faceId));
    for (const [id, { row }] of this.rows) {
      if (ids.has(id)) continue;
      row.remove();
      this.rows.delete(id);
    }
    for (const row of visible) this.#drawRow(row, from_secs, to_secs);
    const hidden = rows.length - visible.length;
    this.more.hidden = hidden === 0;
    if (hidden) setText(this.more, this.words.count("strips.more", hidden));
  }

  /** @param {string} faceId */
  #row(faceId) {
    const known = this.rows.get(faceId);
    if (known) return known;
    const canvas = /** @type {HTMLCanvasElement} */ (el("canvas", { role: "img", class: "strip" }));
    const name = el("span", { class: "strip-name", "aria-hidden": "true" }, faceNumber(faceId));
    const row = el("div", { class: "strip-row", role: "listitem" }, name, canvas);
    this.list.append(row);
    this.rows.set(faceId, { row, canvas });
    return { row, canvas };
  }

  /**
   * @param {import("./history.js").Row} row
   * @param {number} from_secs
   * @param {number} to_secs
   */
  #drawRow(row, from_secs, to_secs) {
    const { canvas } = this.#row(row.faceId);
    const mostly = History.mostly(row);
    const name = this.words.face(row.faceId);
    const label = mostly
      ? this.words.say("strip.mostly", { face: name, expression: this.words.expression(mostly) })
      : this.words.say("strip.not_sure", { face: name });
    if (canvas.getAttribute("aria-label") !== label) canvas.setAttribute("aria-label", label);
    const area = sharp(canvas);
    if (!area) return;
    const { context, width, height } = area;
    const { bin_secs } = this.history;
    // On whole pixels of the screen: else there would be a faint line between any two bins.
    const scale = canvas.width / width;
    const at = (/** @type {number} */ secs) => Math.round(((secs - from_secs) / (to_secs - from_secs)) * width * scale) / scale;
    const bins = [...row.bins];
    // The light ground in runs: where translucent pieces overlapped, there would be stripes.
    let run = { color: "", left: 0, right: 0 };
    const endRun = () => {
      context.globalAlpha = 0.26;
      context.fillStyle = run.color;
      context.fillRect(run.left, 0, run.right - run.left, height);
    };
    for (const [i, [bin, sample]] of bins.entries()) {
      // Where pictures are rare, what they showed holds until the next.
      const next = bins[i + 1]?.[0] ?? bin + 1;
      const left = at(bin * bin_secs);
      const right = at((next - bin <= HOLD_BINS ? next : bin + 1) * bin_secs);
      if (right < 0 || left > width) continue;
      const color = this.palette.of(sample).line;
      if (color !== run.color || left > run.right) {
        endRun();
        run = { color, left, right };
      }
      run.right = right;
      // The colour stands for the expression, its height for the certainty; not sure has no height.
      if (!sample.sure) continue;
      context.globalAlpha = 1;
      context.fillStyle = color;
      const high = Math.max(3, sample.confidence * height);
      context.fillRect(left, height - high, right - left, high);
    }
    endRun();
    context.globalAlpha = 1;
    context.fillStyle = styleColor(canvas, "--ink");
    for (const { time_secs } of this.history.ticks) {
      const x = at(time_secs);
      if (x >= 0 && x <= width) context.fillRect(x - 1, 0, 2, height);
    }
  }
}
