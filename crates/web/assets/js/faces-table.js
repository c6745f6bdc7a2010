/** Every face of every picture as a table; long ones are cut, since the downloads hold all. @module */

import { el, setText } from "./dom.js";
import { rows } from "./results.js";

const MOST_ROWS = 200;
const COLUMNS = ["file", "time", "face", "shows", "certainty", "valence", "arousal"];

export class FacesTable {
  /**
   * @param {import("./words.js").Words} words
   * @param {import("./palette.js").Palette} palette
   */
  constructor(words, palette) {
    this.words = words;
    this.palette = palette;
    this.body = el("tbody");
    this.more = el("p", { class: "muted table-more", hidden: true });
    const heads = COLUMNS.map((name) => el("th", { scope: "col", class: name }, words.say(`table.${name}`)));
    this.element = el("div", { class: "panel table-panel" },
      el("h2", { id: "table-title", class: "panel-title" }, words.say("table.title")),
      // Focusable: else who has no pointer cannot scroll it.
      el("div", { class: "table-scroll", tabindex: 0, role: "group", "aria-labelledby": "table-title" },
        el("table", {}, el("thead", {}, el("tr", {}, ...heads)), this.body)),
      this.more);
  }

  /** @param {import("./results.js").Result[]} results */
  show(results) {
    const { words } = this;
    const lines = [];
    let count = 0;
    for (const { picture, time_secs, face } of rows(results)) {
      if (++count > MOST_ROWS) continue;
      const swatch = el("span", { class: "swatch", "aria-hidden": "true" });
      swatch.style.setProperty("--line", this.palette.of(face).line);
      const signed = (/** @type {number} */ value) => (value > 0 ? "+" : "") + words.number(value, 2);
      lines.push(el("tr", {},
        el("td", { class: "file" }, picture),
        el("td", { class: "time" }, time_secs === null ? "" : `${words.number(time_secs, 1)} s`),
        el("td", { class: "face" }, words.face(face.face_id)),
        el("td", { class: "shows" }, swatch, words.shown(face)),
        el("td", { class: "certainty" }, words.percent(face.confidence)),
        el("td", { class: "valence" }, signed(face.valence)),
        el("td", { class: "arousal" }, signed(face.arousal))));
    }
    this.body.replaceChildren(...lines);
    this.more.hidden = count <= MOST_ROWS;
    if (count > MOST_ROWS) setText(this.more, words.count("table.more", count - MOST_ROWS));
    this.element.hidden = count === 0;
  }
}
