/** Which colour stands for which expression, and how to read the page. @module */

import { el } from "./dom.js";

/**
 * @param {object} tools
 * @param {import("./types.js").Info} tools.info
 * @param {import("./palette.js").Palette} tools.palette
 * @param {import("./words.js").Words} tools.words
 */
export function legend({ info, palette, words }) {
  const entries = info.labels.map((label) => {
    const entry = el("li", { class: "legend-entry" }, el("span", { class: "swatch", "aria-hidden": "true" }), words.expression(label));
    entry.style.setProperty("--line", palette.line(label));
    return entry;
  });
  const unsure = el("li", { class: "legend-entry" }, el("span", { class: "swatch unsure", "aria-hidden": "true" }), words.say("not_sure"));
  unsure.style.setProperty("--line", palette.line(""));
  return el(
    "section",
    { class: "panel legend", "aria-labelledby": "legend-title" },
    el("h2", { id: "legend-title", class: "panel-title" }, words.say("legend.title")),
    el("ul", { class: "legend-list" }, ...entries, unsure),
    el("p", { class: "muted" }, words.say("legend.text")),
  );
}
