/** Before and after a change of the rules: figures of both sides and their differences with intervals. @module */

import { el, svg } from "./dom.js";
import { RATING_FIGURE, VISIT_FIGURES, interval, signed, whyNone, written } from "./figures.js";
import { askJournal } from "./journal.js";
import { segmented } from "./segmented.js";
import { sentence } from "./shell.js";

const DAYS = ["7", "14", "28"];
/** What is compared, in the order of the table. */
const KEYS = ["smiles", "engaged", "secs_in_view", "valence_at_peak", "valence_at_end", "rating"];
const KINDS = [...VISIT_FIGURES, RATING_FIGURE].filter(({ key }) => KEYS.includes(key));
/** The picture of a difference, in its own units. */
const [WIDE, HIGH] = [160, 22];

/** @typedef {{difference: number, low: number, high: number}} Difference */

export class ComparisonView {
  /** @param {import("./words.js").Words} words */
  constructor(words) {
    this.words = words;
    this.place = "";
    this.days = DAYS[1];
    this.at = 0;
    this.number = 0;
    this.body = el("div", { class: "comparison-body" });
    this.element = el("section", { class: "panel", "aria-labelledby": "comparison-title" },
      el("h2", { id: "comparison-title", class: "panel-title" }, words.say("comparison.title")), this.body);
  }

  /** @param {string} place empty for all */
  async show(place) {
    const { words } = this;
    const number = ++this.number;
    if (!place) return this.body.replaceChildren(el("p", { class: "nobody" }, words.say("comparison.choose_place")));
    const changes = await askJournal("policies", null, { place });
    if (number !== this.number) return;
    // The first rules of a place are no change.
    const later = changes.slice(1).reverse();
    if (!later.length) return this.body.replaceChildren(el("p", { class: "nobody" }, words.say("comparison.no_change")));
    if (place !== this.place || !later.some((/** @type {any} */ change) => change.at_secs === this.at)) this.at = later[0].at_secs;
    this.place = place;
    const choice = el("select", { class: "select", "aria-label": words.say("comparison.change"), onchange: () => {
      this.at = Number(/** @type {HTMLSelectElement} */ (choice).value);
      void this.#compare();
    } }, ...later.map((/** @type {any} */ { at_secs, policy }) =>
      el("option", { value: at_secs, selected: at_secs === this.at }, `${words.moment(new Date(1000 * at_secs))}: ${policy}`)));
    const days = DAYS.map((value) => ({ value, text: words.count("comparison.days", Number(value)) }));
    this.result = el("div", {});
    this.body.replaceChildren(
      el("div", { class: "journal-tools inner" }, choice, segmented(words.say("comparison.length"), days, this.days, (value) => {
        this.days = value;
        void this.#compare();
      })),
      this.result);
    await this.#compare();
  }

  async #compare() {
    const { words, result } = this;
    const number = ++this.number;
    try {
      const found = await askJournal("comparison", null, { place: this.place, at: this.at, days: this.days });
      if (number === this.number) result?.replaceChildren(...this.#table(found));
    } catch (error) {
      if (number === this.number) result?.replaceChildren(el("p", { class: "problem", role: "alert" }, sentence(words, error)));
    }
  }

  /** @param {any} found */
  #table(found) {
    const { words } = this;
    const column = (/** @type {string} */ key, /** @type {any} */ side) => {
      const format = new Intl.DateTimeFormat(words.language, { day: "numeric", month: "short" });
      // A side ends with the day before its last moment.
      return el("th", { scope: "col" }, words.say(key), el("span", { class: "th-more" },
        format.formatRange(side.from_secs * 1000, Math.min(Date.now(), side.to_secs * 1000 - 1))));
    };
    const rows = KINDS.filter(({ key }) => key !== "rating" || found.before.ratings || found.after.ratings).map((kind) => {
      const side = (/** @type {any} */ of, /** @type {string} */ key) => {
        const figure = kind.of(of);
        const column = words.say(key);
        if (!figure) return el("td", { class: "muted", "data-column": column }, whyNone(words, of));
        return el("td", { "data-column": column }, el("strong", {}, written(words, kind.unit, figure.value)), el("span", { class: "td-more" },
          interval(words, kind.unit, figure), el("br"), words.say("n", { count: words.number(figure.n) })));
      };
      return el("tr", { "data-figure": kind.key }, el("th", { scope: "row" }, words.say(`figure.${kind.key}`)),
        side(found.before, "comparison.before"), side(found.after, "comparison.after"), this.#difference(kind.unit, found[kind.key]));
    });
    const notes = [
      words.say("comparison.text"),
      found.visits_on_neither_side ? words.count("comparison.neither", found.visits_on_neither_side) : "",
    ];
    return [
      el("div", { class: "table-wide", tabindex: "0", role: "group", "aria-labelledby": "comparison-title" },
        el("table", { class: "comparison stacked" },
          el("thead", {}, el("tr", {}, el("td", {}), column("comparison.before", found.before), column("comparison.after", found.after),
            el("th", { scope: "col" }, words.say("comparison.difference")))),
          el("tbody", {}, ...rows))),
      el("p", { class: "muted small-text" }, notes.filter(Boolean).join(" ")),
    ];
  }

  /**
   * @param {import("./figures.js").Unit} unit
   * @param {Difference|null} difference
   */
  #difference(unit, difference) {
    const { words } = this;
    const column = words.say("comparison.difference");
    if (!difference) return el("td", { class: "muted across", "data-column": column }, words.say("comparison.none"));
    const text = (/** @type {number} */ value) => {
      if (unit === "share") return words.count("points", Math.abs(Math.round(100 * value)), { count: signed(words, 100 * value, 0) });
      if (unit === "secs") return words.say("secs", { count: signed(words, value, 1) });
      return signed(words, value, 2);
    };
    const { low, high } = difference;
    const verdict = low > 0 ? "comparison.more" : high < 0 ? "comparison.less" : "comparison.same";
    return el("td", { class: "across", "data-column": column },
      el("strong", {}, text(difference.difference)), picture(difference),
      el("span", { class: "td-more" }, words.say("interval", { low: text(low), high: text(high) }), el("br"), words.say(verdict)));
  }
}

/**
 * The difference on a line whose middle is 0: a dot and its interval.
 * @param {Difference} difference
 */
function picture({ difference, low, high }) {
  const most = 1.15 * Math.max(Math.abs(low), Math.abs(high), 1e-9);
  const x = (/** @type {number} */ value) => (WIDE / 2) * (1 + value / most);
  const y = HIGH / 2;
  const line = (/** @type {Record<string, any>} */ attributes) => svg("line", attributes);
  return svg("svg", { class: "difference", viewBox: `0 0 ${WIDE} ${HIGH}`, "aria-hidden": "true" },
    line({ class: "difference-zero", x1: WIDE / 2, x2: WIDE / 2, y1: 0, y2: HIGH }),
    line({ class: "difference-interval", x1: x(low), x2: x(high), y1: y, y2: y }),
    ...[low, high].map((end) => line({ class: "difference-interval", x1: x(end), x2: x(end), y1: y - 5, y2: y + 5 })),
    svg("circle", { class: "difference-dot", cx: x(difference), cy: y, r: 5 }));
}
