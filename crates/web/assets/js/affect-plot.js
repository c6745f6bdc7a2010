/** Valence and arousal as a point in a circle, with the way that it came. @module */

import { svg } from "./dom.js";

const RADIUS = 44;
const TRAIL = 16;

export class AffectPlot {
  /** @param {import("./words.js").Words} words */
  constructor(words) {
    this.words = words;
    /** @type {[number, number][]} */
    this.points = [];
    this.trail = svg("polyline", { class: "affect-trail" });
    this.point = svg("circle", { class: "affect-point", r: 5.5 });
    const words_at = (/** @type {string} */ key, /** @type {number} */ x, /** @type {number} */ y, /** @type {string} */ anchor) =>
      svg("text", { x, y, "text-anchor": anchor, class: "affect-word" }, words.say(key));
    this.element = svg(
      "svg",
      { class: "affect", viewBox: "-72 -60 144 120", role: "img" },
      svg("circle", { class: "affect-rim", r: RADIUS }),
      svg("circle", { class: "affect-ring", r: RADIUS / 2 }),
      svg("path", { class: "affect-axis", d: `M${-RADIUS} 0H${RADIUS}M0 ${-RADIUS}V${RADIUS}` }),
      words_at("affect.active", 0, -RADIUS - 5, "middle"),
      words_at("affect.calm", 0, RADIUS + 13, "middle"),
      svg("text", { x: -RADIUS - 7, y: 4, "text-anchor": "end", class: "affect-word" }, "−"),
      svg("text", { x: RADIUS + 7, y: 4, "text-anchor": "start", class: "affect-word" }, "+"),
      this.trail,
      this.point,
    );
  }

  /**
   * @param {number} valence -1 to 1
   * @param {number} arousal -1 to 1
   * @param {string} color
   */
  show(valence, arousal, color) {
    const distance = Math.max(1, Math.hypot(valence, arousal));
    /** @type {[number, number]} */
    const at = [(valence / distance) * RADIUS, (-arousal / distance) * RADIUS];
    this.points = [...this.points, at].slice(-TRAIL);
    this.trail.setAttribute("points", this.points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" "));
    // By style, not by attribute: so it glides.
    this.point.style.transform = `translate(${at[0]}px, ${at[1]}px)`;
    this.point.style.fill = color;
    const signed = (/** @type {number} */ value) => (value > 0 ? "+" : "") + this.words.number(value, 1);
    const label = this.words.say("affect.label", { valence: signed(valence), arousal: signed(arousal) });
    if (this.element.getAttribute("aria-label") !== label) this.element.setAttribute("aria-label", label);
  }
}
