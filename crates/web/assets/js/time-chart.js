/**
 * A chart over periods: bars of counts, or points with their intervals. It can be read without
 * colour, by its table without the picture, and it leaves out what is not known.
 * @module
 */

import uPlot from "../vendor/uplot/uPlot.esm.js";
import { el, setText } from "./dom.js";
import { inFull, written } from "./figures.js";

/** Room for a label below the chart. */
const LABEL_PX = 62;
const POINT_PX = 4;

/**
 * @typedef {object} Content
 * @property {import("./spans.js").Slot[]} slots
 * @property {(import("./figures.js").Figure|null)[]} figures one for each slot
 * @property {import("./figures.js").Unit} unit
 * @property {(slot: number) => string} why there is no figure in a slot
 */

export class TimeChart {
  /**
   * @param {object} options
   * @param {import("./words.js").Words} options.words
   * @param {string} options.label what it shows, for screen readers
   * @param {number} options.height_px
   * @param {boolean} [options.below] it stands below another chart of the same periods, which tells
   *   the numbers of both
   */
  constructor({ words, label, height_px, below = false }) {
    this.words = words;
    this.height_px = height_px;
    /** @type {Content|null} */
    this.content = null;
    /** @type {uPlot|null} */
    this.plot = null;
    this.canvas = el("div", { class: "chart-canvas", role: "img", "aria-label": label });
    this.readout = el("p", { class: "chart-readout" });
    this.body = el("tbody");
    this.table = el("details", { class: "chart-table" },
      el("summary", {}, words.say("chart.table")),
      el("div", { class: "chart-scroll", tabindex: "0", role: "group", "aria-label": label },
        el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, words.say("chart.period")), el("th", { scope: "col" }, label))), this.body)));
    this.element = el("div", { class: "chart" }, this.canvas, ...(below ? [] : [this.readout, this.table]));
    this.sizes = new ResizeObserver(() => this.#fit());
    this.sizes.observe(this.canvas);
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.scheme.addEventListener("change", () => this.#draw());
  }

  /** @param {Content} content */
  show(content) {
    this.content = content;
    const { words } = this;
    this.body.replaceChildren(...content.slots.map(({ title }, i) => {
      const figure = content.figures[i];
      return el("tr", {}, el("th", { scope: "row" }, title),
        el("td", { class: figure ? null : "muted" }, figure ? inFull(words, content.unit, figure) : content.why(i)));
    }));
    this.#draw();
  }

  #fit() {
    const width = this.canvas.clientWidth;
    if (!width || !this.content) return;
    if (!this.plot) this.#draw();
    else if (this.plot.width !== width) this.plot.setSize({ width, height: this.height_px });
  }

  #draw() {
    const width = this.canvas.clientWidth;
    this.plot?.destroy();
    this.plot = null;
    this.#say(null);
    if (!width || !this.content) return;
    const { slots, figures, unit } = this.content;
    const style = getComputedStyle(this.canvas);
    const color = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    const [ink, soft, line] = [color("--chart"), color("--soft"), color("--line-soft")];
    const font = `12px ${style.fontFamily}`;
    const bars = unit === "count";
    const values = figures.map((figure) => figure?.value ?? null);
    this.plot = new uPlot({
      width,
      height: this.height_px,
      padding: [10, 12, 0, 0],
      legend: { show: false },
      cursor: { x: true, y: false, drag: { x: false, y: false }, points: { show: false }, sync: { key: "periods", scales: ["x", null] } },
      scales: { x: { time: false, range: [-0.5, slots.length - 0.5] }, y: { range: () => bounds(unit, figures) } },
      axes: [
        {
          stroke: soft, font, size: 30, grid: { show: false }, ticks: { stroke: line, width: 1, size: 5 },
          splits: (u) => every(slots.length, Math.ceil((slots.length * LABEL_PX) / u.width)),
          values: (_, splits) => splits.map((slot) => slots[slot]?.label ?? ""),
        },
        {
          stroke: soft, font, size: 54, space: 34, grid: { stroke: line, width: 1 }, ticks: { show: false },
          values: (_, splits) => splits.map((value) => this.#axis(value)),
        },
      ],
      series: [
        {},
        bars
          ? { stroke: ink, width: 0, fill: ink, paths: uPlot.paths.bars?.({ size: [0.72, 44] }), points: { show: false } }
          : { stroke: ink, width: 1.5, points: { show: true, size: 2 * POINT_PX, width: 0, fill: ink, stroke: ink } },
      ],
      hooks: {
        drawAxes: [(u) => whiskers(u, figures, soft)],
        setCursor: [(u) => this.#say(u.cursor.left !== undefined && u.cursor.left >= 0 ? u.posToVal(u.cursor.left, "x") : null)],
      },
    }, [slots.map((_, i) => i), values], this.canvas);
  }

  /**
   * A value beside the axis: only as exact as it must be.
   * @param {number} value
   */
  #axis(value) {
    const unit = this.content?.unit ?? "count";
    if (unit === "count" && value % 1) return "";
    return unit === "rating" ? this.words.number(value, value % 1 ? 1 : 0) : written(this.words, unit, value);
  }

  /** @param {number|null} at where the pointer is */
  #say(at) {
    const { words, content } = this;
    const slot = at === null ? -1 : Math.round(at);
    const title = content?.slots[slot]?.title;
    if (!content || !title) return setText(this.readout, words.say("chart.hint"));
    const figure = content.figures[slot];
    setText(this.readout, `${title}: ${figure ? inFull(words, content.unit, figure) : content.why(slot)}`);
  }
}

/**
 * Numbers from 0 on, so that no two labels touch.
 * @param {number} count
 * @param {number} least
 */
function every(count, least) {
  const step = [1, 2, 7, 14].find((step) => step >= least) ?? least;
  return Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step);
}

/**
 * The scale of a unit: from 0 where that has a meaning, and no more than there can be.
 * @param {import("./figures.js").Unit} unit
 * @param {(import("./figures.js").Figure|null)[]} figures
 * @returns {[number, number]}
 */
function bounds(unit, figures) {
  const known = figures.filter((figure) => figure !== null);
  const highest = Math.max(...known.map(({ value, high }) => high ?? value), -Infinity);
  const lowest = Math.min(...known.map(({ value, low }) => low ?? value), Infinity);
  switch (unit) {
    case "share": return [0, Number.isFinite(highest) ? Math.min(1, Math.max(0.1, highest * 1.15)) : 1];
    case "rating": return [1, 5];
    case "valence": {
      const most = Number.isFinite(highest) ? Math.max(Math.abs(highest), Math.abs(lowest), 0.1) * 1.15 : 1;
      return [-Math.min(1, most), Math.min(1, most)];
    }
    default: return [0, Number.isFinite(highest) ? Math.max(1, highest * 1.12) : 10];
  }
}

/**
 * The interval of each point, with a cap at both ends.
 * @param {uPlot} u
 * @param {(import("./figures.js").Figure|null)[]} figures
 * @param {string} color
 */
function whiskers(u, figures, color) {
  const { ctx } = u;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
  ctx.clip();
  ctx.beginPath();
  for (const [i, figure] of figures.entries()) {
    if (!figure || figure.low === null || figure.high === null) continue;
    const x = u.valToPos(i, "x", true);
    const [top, bottom] = [u.valToPos(figure.high, "y", true), u.valToPos(figure.low, "y", true)];
    const cap = POINT_PX * ratio;
    ctx.moveTo(x, top);
    ctx.lineTo(x, bottom);
    for (const y of [top, bottom]) {
      ctx.moveTo(x - cap, y);
      ctx.lineTo(x + cap, y);
    }
  }
  ctx.strokeStyle = color;
  ctx.lineWidth = 1.25 * ratio;
  ctx.stroke();
  ctx.restore();
}
