/** Links that download what the journal holds of a span. @module */

import { el, icon } from "./dom.js";
import { journalPath } from "./journal.js";

const TABLES = ["visits", "answers", "ratings", "health"];
const FORMATS = [["csv", "CSV"], ["parquet", "Parquet"]];

/**
 * @param {import("./words.js").Words} words
 * @param {import("./journal.js").Scope} scope
 */
export function downloadsPanel(words, scope) {
  const rows = TABLES.map((table) => {
    const name = words.say(`downloads.${table}`);
    const links = FORMATS.map(([ending, format]) =>
      el("a", { class: "button small", download: `${table}.${ending}`, href: `/api/v1/${journalPath(`export.${ending}`, scope, { table })}`,
        "aria-label": `${name}, ${format}` }, icon("download"), format));
    return el("li", { class: "download" }, el("span", {}, name), el("span", { class: "download-links" }, ...links));
  });
  return el("section", { class: "panel", "aria-labelledby": "downloads-title" },
    el("h2", { id: "downloads-title", class: "panel-title" }, words.say("downloads.title")),
    el("p", { class: "muted small-text" }, words.say("downloads.text")),
    el("ul", { class: "downloads" }, ...rows));
}
