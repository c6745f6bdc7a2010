/** What a page of the journal is about: place, span and period. It stays in the address. @module */

import { el, icon, setText } from "./dom.js";
import { segmented } from "./segmented.js";
import { PERIODS, Span } from "./spans.js";

export class JournalTools {
  /**
   * @param {object} options
   * @param {import("./words.js").Words} options.words
   * @param {string[]} options.places
   * @param {() => void} options.changed
   */
  constructor({ words, places, changed }) {
    this.words = words;
    this.changed = changed;
    const asked = new URLSearchParams(location.search);
    const by = /** @type {import("./spans.js").Period} */ (asked.get("by") ?? "");
    this.by = PERIODS.includes(by) ? by : "day";
    this.back = Math.max(0, Math.floor(Number(asked.get("back")) || 0));
    this.place = places.includes(asked.get("place") ?? "") ? /** @type {string} */ (asked.get("place")) : "";
    // With one place there is nothing to choose, and what is asked of one place alone is answered.
    if (places.length === 1) [this.place] = places;
    const choice = el("select", { class: "select", "aria-label": words.say("place"), onchange: () => this.#change(() => (this.place = /** @type {HTMLSelectElement} */ (choice).value)) },
      places.length > 1 && el("option", { value: "" }, words.say("place.all")),
      ...places.map((place) => el("option", { value: place, selected: place === this.place }, place)));
    const periods = PERIODS.map((value) => ({ value, text: words.say(`by.${value}`) }));
    this.title = el("strong", { class: "span-title", role: "status" });
    const move = (/** @type {string} */ key, /** @type {string} */ symbol, /** @type {number} */ by) =>
      el("button", { type: "button", class: "button quiet square", "aria-label": words.say(key), onclick: () => this.#change(() => (this.back += by)) }, icon(symbol));
    this.later = /** @type {HTMLButtonElement} */ (move("span.later", "next", -1));
    this.element = el("div", { class: "journal-tools" },
      choice,
      segmented(words.say("by"), periods, this.by, (value) => this.#change(() => {
        this.by = /** @type {import("./spans.js").Period} */ (value);
        this.back = 0;
      })),
      el("div", { class: "span-choice" }, move("span.earlier", "previous", 1), this.title, this.later));
    this.#show();
  }

  get span() {
    return new Span(this.by, this.back, this.words.language);
  }

  /** @returns {import("./journal.js").Scope} */
  get scope() {
    const { from, to } = this.span;
    return { place: this.place || undefined, from, to };
  }

  /** @param {() => void} change */
  #change(change) {
    change();
    this.#show();
    const query = new URLSearchParams();
    if (this.place) query.set("place", this.place);
    if (this.by !== "day") query.set("by", this.by);
    if (this.back) query.set("back", String(this.back));
    history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
    this.changed();
  }

  #show() {
    setText(this.title, this.span.title);
    this.later.disabled = this.back === 0;
  }
}
