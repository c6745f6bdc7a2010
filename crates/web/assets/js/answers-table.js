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
    const few = () => el("td", { class: "muted" }, words.say("none.few"));
    return el("tr", {},
      el("th", { scope: "row" }, rule),
      el("td", {}, words.number(visits)),
      el("td", {}, words.number(times)),
      before && after
        ? el("td", {}, words.say("answers.from_to", { before: words.percent(before.value), after: words.percent(after.value) }),
          el("span", { class: "td-more" }, words.say("n", { count: words.number(before.n) })))
        : few(),
      change
        ? el("td", {}, signed(words, change.value, 2), el("span", { class: "td-more" },
          el("span", {}, interval(words, "valence", change)), el("br"), words.say("n", { count: words.number(change.n) })))
        : few());
  });
  const table = el("div", { class: "table-wide", tabindex: "0", role: "region", "aria-labelledby": "answers-title" },
    el("table", { class: "answers" },
      el("thead", {}, el("tr", {}, ...["rule", "visits", "times", "smiling", "change"].map((key) => column(`answers.${key}`)))),
      el("tbody", {}, ...rows)));
  return el("section", { class: "panel", "aria-labelledby": "answers-title" },
    el("h2", { id: "answers-title", class: "panel-title" }, words.say("answers.title")),
    rows.length ? table : el("p", { class: "nobody" }, words.say("answers.none")),
    rows.length > 0 && el("p", { class: "muted small-text" }, words.say("answers.text")));
}
