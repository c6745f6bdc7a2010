/** Figures over the whole span, large, each with its interval and n. @module */

import { el } from "./dom.js";
import { interval, whyNone, written } from "./figures.js";

/**
 * @param {import("./words.js").Words} words
 * @param {import("./figures.js").FigureKind[]} kinds
 * @param {import("./journal.js").Summed|undefined} of
 * @param {string} [chosen] the kind that charts show
 * @param {(key: string) => void} [choose] called where one is pressed; without it none can be
 */
export function tiles(words, kinds, of, chosen, choose) {
  const list = kinds.map((kind) => {
    const figure = of ? kind.of(of) : null;
    const content = [
      el("span", { class: "tile-name" }, words.say(`figure.${kind.key}`)),
      figure
        ? el("span", { class: "tile-value" }, written(words, kind.unit, figure.value))
        : el("span", { class: "tile-none" }, whyNone(words, of)),
      figure && kind.unit !== "count" && el("span", { class: "tile-more" },
        el("span", {}, interval(words, kind.unit, figure)), el("span", {}, words.say("n", { count: words.number(figure.n) }))),
    ];
    if (!choose) return el("div", { class: "tile", "data-figure": kind.key }, ...content);
    return el("button", {
      type: "button", class: "tile", "data-figure": kind.key, "aria-pressed": String(kind.key === chosen), onclick: () => choose(kind.key),
    }, ...content);
  });
  return el("div", { class: "tiles", role: "group", "aria-label": words.say("figures") }, ...list);
}
