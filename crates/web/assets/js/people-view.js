/**
 * What a picture's faces show, in every form that the live page has: marks over the picture, cards,
 * strips of the last minute, and words for a screen reader.
 * @module
 */

import { Announcer } from "./announcer.js";
import { calm } from "./canvas.js";
import { el } from "./dom.js";
import { History } from "./history.js";
import { Overlay } from "./overlay.js";
import { People } from "./people.js";
import { Strips } from "./strips.js";

const SPAN_SECS = 60;

export class PeopleView {
  /**
   * @param {object} tools
   * @param {import("./types.js").Info} tools.info
   * @param {import("./palette.js").Palette} tools.palette
   * @param {import("./words.js").Words} tools.words
   * @param {import("./stage.js").Stage} tools.stage
   */
  constructor({ info, palette, words, stage }) {
    this.overlay = new Overlay(stage.marks, palette, words);
    const pointOut = (/** @type {string|null} */ id) => this.overlay.pointOut(id);
    this.people = new People({ labels: info.labels, palette, words, pointOut });
    this.history = new History({ bin_secs: 0.2, span_secs: SPAN_SECS });
    this.strips = new Strips(this.history, palette, words);
    const region = el("p", { class: "hidden-text", role: "status" });
    this.announcer = new Announcer(region, words);
    this.minute = el(
      "section",
      { class: "panel minute", "aria-labelledby": "minute-title" },
      el(
        "div",
        { class: "minute-head" },
        el("h2", { id: "minute-title", class: "panel-title" }, words.say("minute.title")),
        el("span", { class: "minute-end" }, words.say("now")),
      ),
      this.strips.element,
      region,
    );
    this.minute.hidden = true;
    this.timer = 0;
  }

  start() {
    this.#redraw();
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.overlay.clear();
    this.people.clear();
    this.history.clear();
    this.minute.hidden = true;
  }

  /** The memory of a session that is over. */
  forget() {
    this.overlay.clear();
    this.people.clear();
    this.history.clear();
  }

  /**
   * @param {{width: number, height: number, people: import("./types.js").Person[]}} observation
   * @param {number} time_secs of the observation
   * @param {() => void} [drawn]
   */
  show(observation, time_secs, drawn) {
    this.overlay.show(observation, drawn);
    this.people.show(observation.people, time_secs);
    this.history.add(performance.now() / 1000, observation.people);
    this.announcer.show(observation.people);
  }

  /** @param {string} text something that happened now */
  tick(text) {
    this.history.tick(performance.now() / 1000, text);
  }

  #redraw() {
    const now_secs = performance.now() / 1000;
    this.minute.hidden = this.history.rows.size === 0;
    if (!document.hidden && !this.minute.hidden) this.strips.draw(now_secs - SPAN_SECS, now_secs);
    this.timer = setTimeout(() => this.#redraw(), calm() ? 1000 : 100);
  }
}
