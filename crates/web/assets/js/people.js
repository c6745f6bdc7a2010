/** The people in view, one card each. @module */

import { el, setText } from "./dom.js";
import { PersonCard } from "./person-card.js";

const NUMBERS_EVERY_MS = 500;
/** A face may be lost for a moment when a head turns. */
const STAYS_MS = 1200;
const MOST_CARDS = 12;
const ROOMY = 3;

export class People {
  /**
   * @param {object} tools
   * @param {string[]} tools.labels
   * @param {import("./palette.js").Palette} tools.palette
   * @param {import("./words.js").Words} tools.words
   * @param {(faceId: string|null) => void} tools.pointOut
   */
  constructor(tools) {
    this.tools = tools;
    this.words = tools.words;
    /** @type {Map<string, {card: PersonCard, person: import("./types.js").Person, seen_ms: number, inView_secs: number}>} */
    this.shown = new Map();
    this.time_ms = -Infinity;
    this.count = el("span", { class: "count" });
    this.empty = el("p", { class: "nobody" }, this.words.say("people.nobody"));
    this.more = el("p", { class: "muted", hidden: true });
    this.list = el("div", { class: "people" });
    this.element = el(
      "section",
      { class: "panel", "aria-labelledby": "people-title" },
      el("h2", { id: "people-title", class: "panel-title" }, this.words.say("people.title"), this.count),
      this.empty,
      this.list,
      this.more,
    );
  }

  /**
   * @param {import("./types.js").Person[]} people
   * @param {number} time_secs of the observation, on the clock of `first_seen_secs`
   */
  show(people, time_secs) {
    const now_ms = performance.now();
    for (const person of people) this.#take(person, time_secs, now_ms);
    for (const [id, { card, seen_ms }] of this.shown) {
      const away_ms = now_ms - seen_ms;
      card.fade(away_ms > STAYS_MS / 3);
      if (away_ms > STAYS_MS) {
        card.element.remove();
        this.shown.delete(id);
      }
    }
    const hidden = people.filter(({ face_id }) => !this.shown.has(face_id)).length;
    this.more.hidden = hidden === 0;
    if (hidden) setText(this.more, this.words.count("people.more", hidden));
    this.empty.hidden = this.shown.size > 0;
    setText(this.count, people.length ? this.words.number(people.length) : "");
    this.list.classList.toggle("compact", this.shown.size > ROOMY);
    if (now_ms - this.time_ms < NUMBERS_EVERY_MS) return;
    this.time_ms = now_ms;
    for (const { card, person, inView_secs } of this.shown.values()) card.showNumbers(person, inView_secs);
  }

  clear() {
    this.shown.clear();
    this.list.replaceChildren();
    this.more.hidden = true;
    this.empty.hidden = false;
    setText(this.count, "");
  }

  /**
   * @param {import("./types.js").Person} person
   * @param {number} time_secs
   * @param {number} now_ms
   */
  #take(person, time_secs, now_ms) {
    const inView_secs = time_secs - (person.first_seen_secs ?? time_secs);
    let entry = this.shown.get(person.face_id);
    if (!entry) {
      if (this.shown.size >= MOST_CARDS) return;
      const card = new PersonCard(person.face_id, this.tools);
      entry = { card, person, seen_ms: now_ms, inView_secs };
      this.shown.set(person.face_id, entry);
      card.showNumbers(person, inView_secs);
      this.list.append(card.element);
    }
    Object.assign(entry, { person, seen_ms: now_ms, inView_secs });
    entry.card.showLabel(person);
  }
}
