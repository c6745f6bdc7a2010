/** One line that answers: is it running, and how well. @module */

import { el, setText } from "./dom.js";

/** @typedef {"good"|"wait"|"bad"|"off"} Level */

export class StatusLine {
  constructor() {
    this.dot = el("span", { class: "dot", "aria-hidden": "true" });
    this.state = el("strong", { class: "status-state" });
    this.numbers = el("span", { class: "status-numbers" });
    this.actions = el("span", { class: "status-actions" });
    this.element = el("div", { class: "status" }, this.dot, this.state, this.numbers, this.actions);
  }

  /**
   * @param {Level} level
   * @param {string} state
   * @param {string[]} [numbers]
   */
  show(level, state, numbers = []) {
    this.element.dataset.level = level;
    setText(this.state, state);
    while (this.numbers.children.length > numbers.length) this.numbers.lastElementChild?.remove();
    for (const [i, number] of numbers.entries()) {
      setText(this.numbers.children[i] ?? this.numbers.appendChild(el("span")), number);
    }
  }
}
