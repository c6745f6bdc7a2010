/** The card of one person in view. @module */

import { AffectPlot } from "./affect-plot.js";
import { el, setText } from "./dom.js";
import { faceNumber } from "./words.js";

export class PersonCard {
  /**
   * @param {string} faceId
   * @param {object} tools
   * @param {string[]} tools.labels in their order
   * @param {import("./palette.js").Palette} tools.palette
   * @param {import("./words.js").Words} tools.words
   * @param {(faceId: string|null) => void} tools.pointOut called while the pointer is on the card
   */
  constructor(faceId, { labels, palette, words, pointOut }) {
    this.palette = palette;
    this.words = words;
    this.number = el("span", { class: "badge", "aria-hidden": "true" }, faceNumber(faceId));
    this.label = el("strong", { class: "card-label" });
    this.certainty = el("span", { class: "card-certainty" });
    this.time = el("span", { class: "card-time" });
    this.where = el("p", { class: "card-where", hidden: true });
    this.plot = new AffectPlot(words);
    /** @type {Map<string, {bar: HTMLElement, value: HTMLElement, row: HTMLElement}>} */
    this.bars = new Map();
    const distribution = el("dl", { class: "bars" });
    for (const label of labels) {
      const bar = el("span", { class: "bar" });
      bar.style.setProperty("--color", palette.line(label));
      const value = el("span", { class: "bar-value" });
      const row = el(
        "div",
        { class: "bar-row" },
        el("dt", {}, words.expression(label)),
        el("dd", {}, el("span", { class: "rail", "aria-hidden": "true" }, bar), value),
      );
      distribution.append(row);
      this.bars.set(label, { bar, value, row });
    }
    const shows = el("span", { class: "card-shows" }, words.say("shows"));
    this.shows = shows;
    this.element = el(
      "article",
      {
        class: "card person",
        "aria-label": words.face(faceId),
        onpointerenter: () => pointOut(faceId),
        onpointerleave: () => pointOut(null),
      },
      el(
        "header",
        { class: "card-head" },
        this.number,
        el("div", { class: "card-what" }, shows, el("div", { class: "card-line" }, this.label, this.certainty), this.where),
        this.time,
      ),
      el("div", { class: "card-body" }, this.plot.element, distribution),
    );
    this.element.dataset.face = faceId;
  }

  /**
   * What must not wait: the expression itself.
   * @param {import("./types.js").Person} person
   */
  showLabel(person) {
    const colors = this.palette.of(person);
    setText(this.label, this.words.shown(person));
    this.shows.hidden = !person.sure;
    this.element.dataset.label = person.label;
    this.element.classList.toggle("unsure", !person.sure);
    this.element.style.setProperty("--line", colors.line);
    this.element.style.setProperty("--plate", colors.background);
  }

  /**
   * Numbers, bars and the plot; about twice a second.
   * @param {import("./types.js").Person} person
   * @param {number} inView_secs
   */
  showNumbers(person, inView_secs) {
    setText(this.certainty, person.sure ? this.words.percent(person.confidence) : "");
    setText(this.time, this.words.say("in_view_for", { duration: this.words.duration(inView_secs) }));
    const where = this.#whereAndHow(person);
    this.where.hidden = !where;
    setText(this.where, where);
    for (const [label, { bar, value, row }] of this.bars) {
      const share = person.probabilities[label] ?? 0;
      bar.style.transform = `scaleX(${share.toFixed(3)})`;
      setText(value, this.words.percent(share));
      row.classList.toggle("little", share < 0.005);
    }
    this.plot.show(person.valence, person.arousal, this.palette.of(person).line);
  }

  /**
   * How far away, and whether the person attends; empty where neither is known.
   * @param {import("./types.js").Person} person
   */
  #whereAndHow({ pose, engagement }) {
    const parts = [
      pose && this.words.say("person.distance", { distance: this.words.number(pose.distance_m, 1) }),
      engagement && this.words.say(`attention.${engagement}`),
    ];
    return parts.filter(Boolean).join(" · ");
  }

  /** @param {boolean} gone the person left, and the card will too */
  fade(gone) {
    this.element.classList.toggle("gone", gone);
  }
}
