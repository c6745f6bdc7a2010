/** Shares of the expressions shown, as bars with their names and numbers. @module */

import { el } from "./dom.js";
import { whyNone } from "./figures.js";

/**
 * @param {object} tools
 * @param {import("./words.js").Words} tools.words
 * @param {import("./palette.js").Palette} tools.palette
 * @param {import("./journal.js").Summed|undefined} of
 */
export function sharesPanel({ words, palette }, of) {
  const expressions = of?.visits?.expressions;
  const shares = Object.entries(expressions?.shares ?? {}).sort(([, a], [, b]) => b - a);
  const rows = shares.map(([label, share]) => {
    const bar = el("span", { class: "bar" });
    bar.style.setProperty("--color", palette.line(label));
    bar.style.transform = `scaleX(${share.toFixed(3)})`;
    return el("div", { class: "bar-row" }, el("dt", {}, words.expression(label)),
      el("dd", {}, el("span", { class: "rail", "aria-hidden": "true" }, bar), el("span", { class: "bar-value" }, words.percent(share))));
  });
  return el("section", { class: "panel", "aria-labelledby": "shares-title" },
    el("h2", { id: "shares-title", class: "panel-title" }, words.say("shares.title"),
      expressions && el("span", { class: "count" }, words.say("n", { count: words.number(expressions.n) }))),
    rows.length ? el("dl", { class: "bars wide" }, ...rows) : el("p", { class: "nobody" }, whyNone(words, of)),
    typeof expressions?.not_sure === "number" &&
      el("p", { class: "muted small-text" }, words.say("shares.not_sure", { share: words.percent(expressions.not_sure) })),
    el("p", { class: "muted small-text" }, words.say("shares.text")));
}
