/** What each rule answered, and how expressions went on. @module */

import { el } from "./dom.js";
import { interval, ofMean, ofRate, signed } from "./figures.js";

/**
 * @param {import("./words.js").Words} words
 * @param {any[]} answers
 */
export function answersPanel(words, answers) {
  const column = (/** @type {string} */ key) => el("th", { scope: "col" }, words.say(key));
  const rows = answers.map(({ rule, visits, times, followed }) => {
    const change = ofMean(followed?.valence_change);
    const [before, after] = [ofRate(followed?.smiling_before), ofRate(followed?.smiling_after)];
    const cell = (/** @type {string} */ key, /** @type {(Node|string)[]} */ ...content) => el("td", { "data-column": words.say(`answers.${key}`) }, ...content);
    const n = (/** @type {number} */ count) => words.say("n", { count: words.number(count) });
    return el("tr", {},
      el("th", { scope: "row" }, rule),
      cell("visits", words.number(visits)),
      cell("times", words.number(times)),
      before && after
        ? cell("smiling", words.say("answers.from_to", { before: words.percent(before.value), after: words.percent(after.value) }), el("span", { class: "td-more" }, n(before.n)))
        : cell("smiling", words.say("none.few")),
      change
        ? cell("change", signed(words, change.value, 2), el("span", { class: "td-more" }, interval(words, "valence", change), el("br"), n(change.n)))
        : cell("change", words.say("none.few")));
  });
  const table = el("div", { class: "table-wide", tabindex: "0", role: "group", "aria-labelledby": "answers-title" },
    el("table", { class: "answers stacked" },
      el("thead", {}, el("tr", {}, ...["rule", "visits", "times", "smiling", "change"].map((key) => column(`answers.${key}`)))),
      el("tbody", {}, ...rows)));
  return el("section", { class: "panel", "aria-labelledby": "answers-title" },
    el("h2", { id: "answers-title", class: "panel-title" }, words.say("answers.title")),
    rows.length ? table : el("p", { class: "nobody" }, words.say("answers.none")),
    rows.length > 0 && el("p", { class: "muted small-text" }, words.say("answers.text")));
}
