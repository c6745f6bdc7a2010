/** One face and what a reviewer can say of it. @module */

import { el, icon, setText } from "./dom.js";

/** Answers that name no expression, and their keys. */
const OTHERS = [
  ["cant_tell", "t"],
  ["not_a_face", "n"],
];
/** What confirms what the network said, and what goes back. */
const RIGHT_KEY = "Enter";
const BACK_KEY = "Backspace";

/**
 * @typedef {object} ReviewItem
 * @property {string} id
 * @property {string} shown
 * @property {boolean} sure
 * @property {Record<string, number>} probabilities
 * @property {string} place
 * @property {string} day
 */

export class ReviewCard {
  /**
   * @param {object} tools
   * @param {import("./words.js").Words} tools.words
   * @param {string[]} tools.labels
   * @param {(answer: string) => void} tools.answer
   * @param {() => void} tools.back
   */
  constructor({ words, labels, answer, back }) {
    this.words = words;
    this.labels = labels;
    this.answer = answer;
    /** @type {ReviewItem|null} */
    this.item = null;
    this.enabled = false;
    this.face = /** @type {HTMLImageElement} */ (el("img", { class: "review-face", alt: words.say("review.face"), width: 112, height: 112 }));
    this.reading = el("p", { class: "review-reading" });
    this.where = el("p", { class: "muted" });
    this.trouble = el("div", { role: "alert" });
    this.right = this.#button("right", words.say("review.right"), RIGHT_KEY, "primary", () => this.item && answer(this.item.shown));
    this.back = this.#button("back", words.say("review.back"), BACK_KEY, "quiet", back);
    this.blind = /** @type {HTMLInputElement} */ (el("input", { type: "checkbox", id: "blind", onchange: () => this.#showReading() }));
    this.choices = labels.map((label, i) =>
      this.#button(label, words.expression(label), String(i + 1), "", () => answer(label)));
    const others = OTHERS.map(([name, key]) => this.#button(name, words.say(`review.${name}`), key, "", () => answer(name)));
    this.element = el("section", { class: "panel review-card", "aria-label": words.say("review.item") },
      el("div", { class: "review-look" }, this.face, this.reading, this.where),
      el("div", { class: "review-say" },
        this.right,
        el("fieldset", { class: "review-choices" }, el("legend", {}, words.say("review.which")), ...this.choices),
        el("div", { class: "review-others" }, ...others),
        el("div", { class: "review-foot" },
          this.back,
          el("label", { class: "review-blind" }, this.blind, el("span", {}, words.say("review.blind"))))),
      this.trouble,
    );
    addEventListener("keydown", (event) => this.#key(event));
  }

  /**
   * @param {ReviewItem} item
   * @param {boolean} canGoBack
   */
  show(item, canGoBack) {
    this.item = item;
    this.face.src = `/api/v1/feedback/items/${item.id}/face`;
    setText(this.where, `${item.place}, ${new Date(`${item.day}T12:00:00Z`).toLocaleDateString(this.words.language)}`);
    for (const [i, choice] of this.choices.entries()) choice.classList.toggle("as-read", this.labels[i] === item.shown);
    this.back.toggleAttribute("disabled", !canGoBack);
    this.trouble.replaceChildren();
    this.#showReading();
    this.enable(true);
  }

  /** @param {boolean} enabled */
  enable(enabled) {
    this.enabled = enabled;
    this.element.classList.toggle("busy", !enabled);
  }

  /** @param {string} text */
  fail(text) {
    this.trouble.replaceChildren(el("p", { class: "problem" }, icon("warning"), el("span", {}, text)));
    this.enable(true);
  }

  #showReading() {
    const { item, words } = this;
    const hidden = this.blind.checked;
    this.right.hidden = hidden;
    this.element.classList.toggle("blind", hidden);
    if (!item) return;
    const share = words.percent(item.probabilities[item.shown] ?? 0);
    const read = words.say(item.sure ? "review.read" : "review.read_unsure", { expression: words.expression(item.shown), share });
    setText(this.reading, hidden ? words.say("review.hidden") : read);
  }

  /**
   * @param {string} name
   * @param {string} text
   * @param {string} key
   * @param {string} kind
   * @param {() => void} act
   */
  #button(name, text, key, kind, act) {
    const shown = { [RIGHT_KEY]: "↵", [BACK_KEY]: "⌫" }[key] ?? key;
    return /** @type {HTMLButtonElement} */ (
      el("button", { type: "button", class: `button ${kind}`, "data-answer": name, "aria-keyshortcuts": key, onclick: () => this.enabled && act() },
        el("span", {}, text), el("kbd", { "aria-hidden": "true" }, shown))
    );
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !this.element.isConnected) return;
    const { target } = event;
    // Enter presses the button that has the focus, and nothing else.
    if (event.key === RIGHT_KEY && target instanceof Element && target.closest("button, a, input, summary, dialog")) return;
    if (document.querySelector("dialog[open]")) return;
    const button = [...this.element.querySelectorAll("button")].find((one) => one.getAttribute("aria-keyshortcuts") === event.key);
    if (!button || button.hidden || button.disabled) return;
    event.preventDefault();
    button.click();
  }
}
