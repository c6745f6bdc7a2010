/** The card of one file: a picture or a video, with what was found in it. @module */

import { el, icon, setText } from "./dom.js";
import { History } from "./history.js";
import { Overlay } from "./overlay.js";
import { drawStill } from "./still.js";
import { Strips } from "./strips.js";
import { seek } from "./video-steps.js";
import { faceNumber } from "./words.js";

const THUMBNAIL_PX = 380;
const WIDE_PX = 760;
/** With more faces than this the picture is shown larger, so that they can be told apart. */
const FEW_FACES = 5;

/**
 * @typedef {object} Tools
 * @property {import("./types.js").Info} info
 * @property {import("./palette.js").Palette} palette
 * @property {import("./words.js").Words} words
 */

class FileCard {
  /**
   * @param {string} name
   * @param {string} kind
   */
  constructor(name, kind) {
    this.what = el("p", { class: "muted file-what" });
    this.body = el("div", { class: "file-picture" });
    this.more = el("div", { class: "file-more" });
    this.element = el("article", { class: `panel file-card ${kind}`, "aria-label": name },
      this.body,
      el("div", { class: "file-text" }, el("h3", { class: "file-name", title: name }, name), this.what, this.more));
  }

  /** @param {string} text */
  fail(text) {
    this.element.classList.add("failed");
    this.more.replaceChildren(el("p", { class: "problem" }, icon("warning"), el("span", {}, text)));
  }
}

export class PictureCard extends FileCard {
  /**
   * @param {File} file
   * @param {Tools} tools
   * @param {(file: File, face: import("./types.js").Person) => void} why
   */
  constructor(file, tools, why) {
    super(file.name, "picture");
    this.file = file;
    this.tools = tools;
    this.why = why;
    this.canvas = /** @type {HTMLCanvasElement} */ (el("canvas", { role: "img", "aria-label": tools.words.say("pictures.picture", { name: file.name }) }));
  }

  /** @param {any} report */
  async show(report) {
    const { words, palette } = this.tools;
    setText(this.what, report.faces.length ? words.count("pictures.faces", report.faces.length) : words.say("pictures.no_face"));
    const wide = report.faces.length > FEW_FACES;
    this.element.classList.toggle("wide", wide);
    const bitmap = await createImageBitmap(this.file);
    drawStill(this.canvas, bitmap, { longestSide_px: wide ? WIDE_PX : THUMBNAIL_PX, faces: report.faces, size: report, palette, words });
    bitmap.close();
    this.body.append(this.canvas);
    this.more.replaceChildren(
      el("ul", { class: "faces" },
        ...report.faces.map((/** @type {import("./types.js").Person} */ face) => {
          const badge = el("span", { class: "badge small", "aria-hidden": "true" }, faceNumber(face.face_id));
          badge.style.setProperty("--plate", palette.of(face).background);
          return el("li", { class: "face-row" }, badge,
            el("span", { class: "face-what" }, el("strong", {}, words.shown(face)), face.sure ? ` ${words.percent(face.confidence)}` : ""),
            el("button", {
              type: "button", class: "button quiet small", "aria-label": words.say("pictures.why_face", { face: words.face(face.face_id) }),
              onclick: () => this.why(this.file, face),
            }, icon("eye"), words.say("pictures.why")));
        })),
    );
  }
}

export class VideoCard extends FileCard {
  /**
   * @param {File} file
   * @param {Tools} tools
   */
  constructor(file, tools) {
    super(file.name, "video wide");
    this.tools = tools;
    const { words, palette } = tools;
    this.address = URL.createObjectURL(file);
    this.video = /** @type {HTMLVideoElement} */ (el("video", { playsinline: true, muted: true, class: "stage-picture" }));
    this.video.muted = true;
    this.marks = /** @type {HTMLCanvasElement} */ (el("canvas", { class: "stage-marks", "aria-hidden": "true" }));
    this.overlay = new Overlay(this.marks, palette, words);
    this.body.append(this.video, this.marks);
    this.slider = /** @type {HTMLInputElement} */ (
      el("input", { type: "range", min: 0, max: 0, step: 1, value: 0, class: "slider", "aria-label": words.say("video.position"), disabled: true, oninput: () => this.#seek() })
    );
    this.position = el("span", { class: "video-time" });
    /** @type {import("./types.js").Observation[]} */
    this.observations = [];
    this.rate = 1;
    this.length_secs = 0;
  }

  /**
   * @param {number} length_secs
   * @param {number} rate pictures a second
   */
  begin(length_secs, rate) {
    const { words, palette } = this.tools;
    this.length_secs = length_secs;
    this.rate = rate;
    this.body.style.aspectRatio = `${this.video.videoWidth} / ${this.video.videoHeight}`;
    this.history = new History({ bin_secs: 1 / rate, span_secs: Infinity });
    this.strips = new Strips(this.history, palette, words);
    this.more.replaceChildren(el("div", { class: "video-line" }, this.slider, this.position), this.strips.element);
  }

  /** @param {import("./types.js").Observation} observation of the picture that the video shows */
  add(observation) {
    this.observations.push(observation);
    // In the middle of its bin: rounding must not move it to the neighbour.
    this.history?.add(observation.time_secs + 0.5 / this.rate, observation.people);
    this.slider.max = String(this.observations.length - 1);
    this.slider.value = this.slider.max;
    this.overlay.show(observation);
    this.#label(observation);
    this.strips?.draw(0, this.length_secs);
  }

  end() {
    const { words } = this.tools;
    this.slider.disabled = this.observations.length === 0;
    setText(this.what, words.count("video.summary", this.history?.rows.size ?? 0, { rate: words.number(this.rate) }));
  }

  /** The card is taken away. */
  forget() {
    this.video.removeAttribute("src");
    this.video.load();
    URL.revokeObjectURL(this.address);
  }

  async #seek() {
    const observation = this.observations[this.slider.valueAsNumber];
    if (!observation) return;
    this.#label(observation);
    await seek(this.video, observation.time_secs + 0.001);
    this.overlay.show(observation);
  }

  /** @param {import("./types.js").Observation} observation */
  #label(observation) {
    const { words } = this.tools;
    const secs = (/** @type {number} */ value) => `${words.number(value, 1)} s`;
    const text = words.say("video.at", { at: secs(observation.time_secs), length: secs(this.length_secs) });
    setText(this.position, text);
    this.slider.setAttribute("aria-valuetext", text);
  }
}
