/** What the answers say, and how much is kept. @module */

import { el } from "./dom.js";

/**
 * @typedef {{n: number, visits: number, share: number, low: number, high: number}} Share
 * @typedef {object} Summary
 * @property {{consents: number, faces: number, waiting: number, answered: number}} counts
 * @property {Record<string, number>} answers
 * @property {{right: Share|null, right_where_sure: Share|null, cant_tell: Share|null, not_a_face: Share|null}} accuracy
 */

/**
 * @param {import("./words.js").Words} words
 * @param {Summary} summary
 */
export function reviewFigures(words, { counts, accuracy }) {
  const rows = Object.entries(accuracy).map(([name, share]) =>
    el("div", { class: "share", "data-share": name }, el("dt", {}, words.say(`review.share.${name}`)), el("dd", {}, ...shareOf(words, share))));
  return el("section", { class: "panel", "aria-labelledby": "figures-title" },
    el("h2", { class: "panel-title", id: "figures-title" }, words.say("review.figures")),
    el("dl", { class: "shares" }, ...rows),
    el("p", { class: "muted small" }, words.say("review.figures.text")),
    el("dl", { class: "counts" }, ...["consents", "faces", "waiting", "answered"].map((name) =>
      el("div", {}, el("dt", {}, words.say(`review.count.${name}`)), el("dd", { "data-count": name }, words.number(counts[/** @type {"faces"} */ (name)]))))),
  );
}

/**
 * The share with its interval as a bar, or why there is none.
 * @param {import("./words.js").Words} words
 * @param {Share|null} share
 * @returns {HTMLElement[]}
 */
function shareOf(words, share) {
  if (!share) return [el("span", { class: "muted" }, words.say("review.too_few"))];
  const { percent } = { percent: words.percent.bind(words) };
  const bar = el("span", { class: "interval", "aria-hidden": "true" }, el("span", { class: "interval-range" }), el("span", { class: "interval-mark" }));
  bar.style.setProperty("--low", String(share.low));
  bar.style.setProperty("--high", String(share.high));
  bar.style.setProperty("--mark", String(share.share));
  return [
    el("strong", {}, percent(share.share)),
    bar,
    el("span", { class: "muted small" }, words.say("review.interval", {
      low: percent(share.low), high: percent(share.high), n: words.number(share.n), visits: words.count("review.visits", share.visits),
    })),
  ];
}
