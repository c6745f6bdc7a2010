/** Whether the camera still sees what it saw in the first week, and what accuracy that lets expect. @module */

import { el, svg } from "./dom.js";
import { interval, ofMean } from "./figures.js";

/** From these values of the index on a change is worth a look, and is large; by convention. */
const [SOME, LARGE] = [0.1, 0.25];
/** The scale ends here: what is larger is large enough. */
const MOST = 0.5;
const [WIDE, HIGH] = [200, 20];

/**
 * @param {import("./words.js").Words} words
 * @param {any} drift nothing where no place is known
 */
export function driftPanel(words, drift) {
  const head = el("h2", { id: "drift-title", class: "panel-title" }, words.say("drift.title"));
  const panel = (/** @type {(Node|string|null|false)[]} */ ...content) => el("section", { class: "panel", "aria-labelledby": "drift-title" }, head, ...content);
  if (!drift) return panel(el("p", { class: "nobody" }, words.say("drift.no_place")));
  if (drift.state === "too_early") {
    const when = drift.expected_secs ? words.say("drift.too_early.until", { moment: words.moment(new Date(1000 * drift.expected_secs)) }) : words.say("drift.too_early.open");
    return panel(el("p", { class: "nobody" }, words.say("drift.too_early.text"), " ", when));
  }
  if (!drift.features.length) return panel(el("p", { class: "nobody" }, words.say("drift.nothing")));
  const column = (/** @type {string} */ key) => el("th", { scope: "col" }, words.say(key));
  const rows = drift.features.map((/** @type {any} */ feature) =>
    el("tr", { "data-feature": feature.feature, "data-level": feature.level },
      el("th", { scope: "row" }, words.say(`feature.${feature.feature}`)),
      el("td", { class: "across" }, el("strong", { class: "level" }, words.say(`level.${feature.level}`)),
        feature.level !== "stable" && el("span", { class: "td-more" }, words.say(`meaning.${feature.feature}`))),
      el("td", { "data-column": words.say("drift.size") }, picture(feature), el("span", { class: "td-more" }, words.say("drift.index", {
        index: words.number(feature.stability_index, 2), chance: words.number(feature.by_chance, 2) }))),
      el("td", { "data-column": words.say("drift.rests_on") }, words.say("drift.n", { then: words.number(feature.n_then), now: words.number(feature.n_now) }))));
  const day = new Intl.DateTimeFormat(words.language, { day: "numeric", month: "short", year: "numeric" });
  const week = day.formatRange(1000 * drift.then_from_secs, 1000 * drift.then_to_secs - 1);
  return panel(
    el("p", { class: "muted small-text" }, words.say("drift.text", { week })),
    el("div", { class: "table-wide", tabindex: "0", role: "group", "aria-labelledby": "drift-title" },
      el("table", { class: "drift stacked" }, el("thead", {}, el("tr", {}, ...["of", "verdict", "size", "rests_on"].map((key) => column(`drift.${key}`)))), el("tbody", {}, ...rows))),
    el("p", { class: "muted small-text" }, words.say("drift.legend")));
}

/**
 * The index as a bar, with lines at the limits of a change worth a look and of a large one, and a
 * broken line at what chance alone may do.
 * @param {{stability_index: number, by_chance: number}} feature
 */
function picture({ stability_index, by_chance }) {
  const x = (/** @type {number} */ value) => WIDE * Math.min(1, value / MOST);
  return svg("svg", { class: "drift-picture", viewBox: `0 0 ${WIDE} ${HIGH}`, "aria-hidden": "true" },
    svg("rect", { class: "drift-rail", x: 0, y: 6, width: WIDE, height: 8, rx: 4 }),
    svg("rect", { class: "drift-bar", x: 0, y: 6, width: Math.max(3, x(stability_index)), height: 8, rx: 4 }),
    ...[SOME, LARGE].map((limit) => svg("line", { class: "drift-limit", x1: x(limit), x2: x(limit), y1: 1, y2: HIGH - 1 })),
    svg("path", { class: "drift-chance", d: `M${x(by_chance)} 0v${HIGH}` }));
}

/**
 * @param {import("./words.js").Words} words
 * @param {any} estimate nothing where nothing is known
 */
export function accuracyPanel(words, estimate) {
  const head = el("h2", { id: "accuracy-title", class: "panel-title" }, words.say("accuracy.title"));
  const figure = ofMean(estimate?.expected);
  const trust = estimate?.trust?.trust ?? "unknown";
  const content = figure
    ? [
      el("p", { class: "estimate" }, el("strong", {}, words.say("accuracy.about", { share: words.percent(figure.value) })),
        el("span", { class: "td-more" }, words.say("accuracy.interval", { interval: interval(words, "share", figure), n: words.number(figure.n) }))),
      typeof estimate.then === "number" && el("p", { class: "small-text" }, words.say("accuracy.then", { share: words.percent(estimate.then) })),
      el("p", { class: trust === "drifted" ? "trust doubt" : "trust" }, words.say(`trust.${trust}`, {
        features: new Intl.ListFormat(words.language).format((estimate.trust.features ?? []).map((/** @type {string} */ feature) => words.say(`feature.${feature}`))) })),
    ]
    : [el("p", { class: "nobody" }, words.say("accuracy.none"))];
  return el("section", { class: "panel", "aria-labelledby": "accuracy-title" }, head, ...content,
    el("p", { class: "muted small-text" }, words.say("accuracy.text")));
}
