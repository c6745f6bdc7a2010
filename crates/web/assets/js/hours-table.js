/** A figure by hour and weekday, as a table whose cells are darker where it is greater. @module */

import { el } from "./dom.js";
import { inFull, whyNone, written } from "./figures.js";

const DAYS = [1, 2, 3, 4, 5, 6, 7];
/** A Monday. */
const MONDAY = Date.UTC(2024, 0, 1);

/** @typedef {import("./journal.js").Summed & {weekday: number, hour: number}} Hour */

export class HoursTable {
  /**
   * @param {object} options
   * @param {import("./words.js").Words} options.words
   * @param {string} options.title_id of its heading
   */
  constructor({ words, title_id }) {
    this.words = words;
    this.titleId = title_id;
    this.element = el("div", { class: "hours-scroll", tabindex: "0", role: "group", "aria-labelledby": title_id });
    this.note = el("p", { class: "muted small-text" });
    // On a phone the hours go down.
    this.narrow = matchMedia("(max-width: 820px)");
    this.narrow.addEventListener("change", () => this.#draw());
    /** @type {{hours: Hour[], kind: import("./figures.js").FigureKind}|null} */
    this.content = null;
  }

  /**
   * @param {{hours: Hour[], visits_without_hour: number}} week
   * @param {import("./figures.js").FigureKind} kind
   */
  show(week, kind) {
    this.content = { hours: week.hours, kind };
    const { words } = this;
    this.note.textContent = [
      words.say("hours.text"),
      week.visits_without_hour ? words.count("hours.without", week.visits_without_hour) : "",
    ].filter(Boolean).join(" ");
    this.#draw();
  }

  #draw() {
    if (!this.content) return;
    const { hours, kind } = this.content;
    const { words } = this;
    const known = new Map(hours.map((hour) => [`${hour.weekday} ${hour.hour}`, hour]));
    const values = hours.map((hour) => kind.of(hour)?.value).filter((value) => value !== undefined);
    // Counts begin at 0; of the others the differences are what is to be seen.
    const least = kind.unit === "count" ? 0 : Math.min(...values);
    const most = Math.max(...values);
    const used = hours.filter((hour) => hour.visits || hour.ratings || (hour.health?.watched_secs ?? 0) > 0).map(({ hour }) => hour);
    const [first, last] = used.length ? [Math.min(...used), Math.max(...used)] : [8, 19];
    const shown = Array.from({ length: last - first + 1 }, (_, i) => first + i);

    const cell = (/** @type {number} */ day, /** @type {number} */ hour) => {
      const of = known.get(`${day} ${hour}`);
      const figure = of ? kind.of(of) : null;
      const name = `${dayName(words, day, "long")}, ${hourName(words, hour)}: `;
      if (!figure) {
        const why = whyNone(words, of);
        const unseen = !of || of.health?.watched_secs === 0;
        return el("td", { class: unseen ? "hour unseen" : "hour few", title: name + why },
          el("span", { "aria-hidden": "true" }, unseen ? "" : "·"), el("span", { class: "hidden-text" }, why));
      }
      const shade = most > least ? (figure.value - least) / (most - least) : 0.5;
      const td = el("td", { class: "hour", title: name + inFull(words, kind.unit, figure) },
        el("span", { class: "hour-value" }, written(words, kind.unit, figure.value)),
        kind.unit !== "count" && el("span", { class: "hour-n" }, words.say("n", { count: words.number(figure.n) })));
      td.style.setProperty("--shade", `${Math.round(8 + 92 * shade)}%`);
      return td;
    };
    const dayHead = (/** @type {number} */ day, /** @type {string} */ scope) => el("th", { scope }, el("abbr", { title: dayName(words, day, "long") }, dayName(words, day, "short")));
    const hourHead = (/** @type {number} */ hour, /** @type {string} */ scope) => el("th", { scope }, el("span", { "aria-hidden": "true" }, String(hour)), el("span", { class: "hidden-text" }, hourName(words, hour)));
    const down = this.narrow.matches;
    const head = down ? DAYS.map((day) => dayHead(day, "col")) : shown.map((hour) => hourHead(hour, "col"));
    const rows = down
      ? shown.map((hour) => el("tr", {}, hourHead(hour, "row"), ...DAYS.map((day) => cell(day, hour))))
      : DAYS.map((day) => el("tr", {}, dayHead(day, "row"), ...shown.map((hour) => cell(day, hour))));
    this.element.style.setProperty("--columns", String(down ? DAYS.length : shown.length));
    this.element.replaceChildren(
      el("table", { class: "hours", "aria-labelledby": this.titleId },
        el("thead", {}, el("tr", {}, el("td", {}), ...head)), el("tbody", {}, ...rows)));
  }
}

/**
 * @param {import("./words.js").Words} words
 * @param {number} day 1 is Monday
 * @param {"long"|"short"} weekday
 */
function dayName(words, day, weekday) {
  return new Intl.DateTimeFormat(words.language, { weekday, timeZone: "UTC" }).format(MONDAY + (day - 1) * 86_400_000);
}

/**
 * @param {import("./words.js").Words} words
 * @param {number} hour
 */
function hourName(words, hour) {
  return words.say("hours.hour", { from: hour, to: hour + 1 });
}
