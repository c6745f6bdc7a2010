/** The dialog that shows why a face was read as it was. @module */

import { el, icon, setText } from "./dom.js";
import { drawHeat } from "./heat.js";
import { ask } from "./server.js";
import { sentence } from "./shell.js";

const SIDE_PX = 560;

export class WhyDialog {
  /**
   * @param {object} tools
   * @param {import("./types.js").Info} tools.info
   * @param {import("./palette.js").Palette} tools.palette
   * @param {import("./words.js").Words} tools.words
   */
  constructor({ info, palette, words }) {
    this.info = info;
    this.palette = palette;
    this.words = words;
    this.canvas = /** @type {HTMLCanvasElement} */ (el("canvas", { class: "why-picture", role: "img", width: SIDE_PX, height: SIDE_PX }));
    this.note = el("p", { class: "why-note", role: "status" });
    this.choices = el("div", { class: "why-choices", role: "radiogroup", "aria-label": words.say("why.choose") });
    this.element = /** @type {HTMLDialogElement} */ (
      el("dialog", { class: "why", "aria-labelledby": "why-title" },
        el("div", { class: "why-head" },
          el("h2", { id: "why-title" }, words.say("why.title")),
          el("button", { type: "button", class: "round plain", "aria-label": words.say("why.close"), onclick: () => this.element.close() }, icon("close"))),
        el("div", { class: "why-body" },
          el("div", {}, this.canvas, this.note),
          el("div", {}, el("p", { class: "muted" }, words.say("why.text")), this.choices)))
    );
    this.element.addEventListener("click", (event) => {
      if (event.target === this.element) this.element.close();
    });
    this.element.addEventListener("close", () => this.asking?.abort());
  }

  /**
   * @param {File} file
   * @param {import("./types.js").Person} face
   */
  async show(file, face) {
    this.asking?.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    this.canvas.getContext("2d")?.reset?.();
    setText(this.note, this.words.say("why.looking"));
    this.choices.replaceChildren();
    if (!this.element.open) this.element.showModal();
    try {
      const [explained, bitmap] = await Promise.all([
        ask("explain", { method: "POST", body: file, headers: { "content-type": file.type || "application/octet-stream" }, signal }),
        createImageBitmap(file),
      ]);
      if (signal.aborted) return;
      const found = explained.faces.find((/** @type {any} */ other) => other.face_id === face.face_id) ?? explained.faces[0];
      if (found.heat) this.#offer(bitmap, face, { ...found.heat, maps: found.maps });
      else setText(this.note, this.words.say("why.not_told"));
    } catch (error) {
      if (!signal.aborted) setText(this.note, sentence(this.words, error));
    }
  }

  /**
   * @param {ImageBitmap} bitmap
   * @param {import("./types.js").Person} face
   * @param {any} heat
   */
  #offer(bitmap, face, heat) {
    const { words } = this;
    const choose = (/** @type {string} */ label) => {
      const any = drawHeat(this.canvas, bitmap, heat, label);
      this.canvas.dataset.label = label;
      const text = words.say("why.picture", { face: words.face(face.face_id), expression: words.expression(label) });
      this.canvas.setAttribute("aria-label", text);
      setText(this.note, any ? text : words.say("why.nothing"));
    };
    const labels = [...this.info.labels].sort((a, b) => (face.probabilities[b] ?? 0) - (face.probabilities[a] ?? 0));
    this.choices.replaceChildren(
      ...labels.map((label) => {
        const bar = el("span", { class: "bar" });
        bar.style.setProperty("--color", this.palette.line(label));
        bar.style.transform = `scaleX(${(face.probabilities[label] ?? 0).toFixed(3)})`;
        return el("label", { class: "why-choice" },
          el("input", { type: "radio", name: "why", value: label, checked: label === face.label, onchange: () => choose(label) }),
          el("span", { class: "why-word" }, words.expression(label)),
          el("span", { class: "rail", "aria-hidden": "true" }, bar),
          el("span", { class: "bar-value" }, words.percent(face.probabilities[label] ?? 0)));
      }),
    );
    choose(face.label);
  }
}
