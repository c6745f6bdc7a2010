/** Where the picture is: a video or a robot's pictures, marks over it, and notes where there is none. @module */

import { el, icon } from "./dom.js";

/**
 * @typedef {object} Note
 * @property {string} icon
 * @property {string} title
 * @property {string} text
 * @property {{label: string, act: () => void, primary?: boolean}[]} [actions]
 * @property {boolean} [over] the picture stays visible behind it
 */

export class Stage {
  /** @param {HTMLElement} picture a video or a canvas */
  constructor(picture) {
    picture.classList.add("stage-picture");
    this.picture = picture;
    this.marks = /** @type {HTMLCanvasElement} */ (el("canvas", { class: "stage-marks", "aria-hidden": "true" }));
    this.noteBox = el("div", { class: "note", role: "status" });
    this.controls = el("div", { class: "stage-controls" });
    this.live = el("div", { class: "stage-live", hidden: true });
    this.element = el("div", { class: "stage" }, picture, this.marks, this.live, this.controls, this.noteBox);
    this.noteKey = "";
  }

  /**
   * Takes the shape of the picture.
   * @param {number} width
   * @param {number} height
   */
  shape(width, height) {
    if (width && height) this.element.style.setProperty("--shape", `${width} / ${height}`);
  }

  /** @param {Note|null} note */
  note(note) {
    const key = note ? JSON.stringify([note.title, note.text, note.actions?.map((a) => a.label)]) : "";
    if (key === this.noteKey) return;
    this.noteKey = key;
    this.noteBox.replaceChildren();
    this.element.classList.toggle("has-note", note !== null);
    this.element.classList.toggle("is-over", note?.over === true);
    if (!note) return;
    const actions = (note.actions ?? []).map(({ label, act, primary = true }) =>
      el("button", { type: "button", class: primary ? "button primary" : "button", onclick: act }, label),
    );
    this.noteBox.append(
      el(
        "div",
        { class: "note-inner" },
        el("div", { class: "note-icon" }, icon(note.icon)),
        el("h2", { class: "note-title" }, note.title),
        el("p", { class: "note-text" }, note.text),
        actions.length ? el("div", { class: "note-actions" }, ...actions) : null,
      ),
    );
  }
}
