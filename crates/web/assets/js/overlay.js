/** Draws the faces over a moving picture, gliding from one observation to the next. @module */

import { calm, sharp } from "./canvas.js";
import { drawBox, drawLabel } from "./face-marks.js";
import { faceNumber } from "./words.js";

/** Boxes cover two thirds of the way to where they belong in this time. */
const GLIDE_MS = 40;
const FADE_MS = 180;
const TEXT_EVERY_MS = 500;

/**
 * @typedef {object} Track one face, in pixels of the picture
 * @property {import("./types.js").Person} person the newest
 * @property {number[]} now left, top, width, height, then x and y of each landmark
 * @property {number[]} goal
 * @property {number} opacity
 * @property {boolean} here whether the newest observation has it
 * @property {string} text
 * @property {string} shown the label that the text names
 * @property {number} textTime_ms
 */

export class Overlay {
  /**
   * @param {HTMLCanvasElement} canvas lies over the picture
   * @param {import("./palette.js").Palette} palette
   * @param {import("./words.js").Words} words
   */
  constructor(canvas, palette, words) {
    this.canvas = canvas;
    this.palette = palette;
    this.words = words;
    /** @type {Map<string, Track>} */
    this.tracks = new Map();
    this.size = { width: 0, height: 0 };
    this.mirrored = false;
    /** @type {string|null} a face to point out */
    this.strong = null;
    this.frame = 0;
    this.last_ms = 0;
    /** @type {(() => void)[]} called after the next drawing */
    this.drawn = [];
    this.observer = new ResizeObserver(() => this.#ask());
    this.observer.observe(canvas);
  }

  /**
   * @param {{width: number, height: number, people: import("./types.js").Person[]}} observation
   * @param {() => void} [drawn] called once it is on the screen's canvas
   */
  show({ width, height, people }, drawn) {
    if (width !== this.size.width || height !== this.size.height) {
      this.size = { width, height };
      this.tracks.clear();
    }
    const now_ms = performance.now();
    for (const track of this.tracks.values()) track.here = false;
    for (const person of people) this.#take(person, now_ms);
    if (drawn) this.drawn.push(drawn);
    this.#ask();
  }

  clear() {
    this.tracks.clear();
    this.#ask();
  }

  /** @param {boolean} mirrored */
  mirror(mirrored) {
    this.mirrored = mirrored;
    this.#ask();
  }

  /** @param {string|null} faceId */
  pointOut(faceId) {
    this.strong = faceId;
    this.#ask();
  }

  /**
   * @param {import("./types.js").Person} person
   * @param {number} now_ms
   */
  #take(person, now_ms) {
    const { x, y, width, height } = person.roi;
    const goal = [x, y, width, height, ...person.landmarks.flatMap((p) => (Array.isArray(p) ? p : [p.x, p.y]))];
    const shown = this.words.shown(person);
    const known = this.tracks.get(person.face_id);
    const track = known ?? {
      person, now: goal, goal, opacity: 0, here: true, text: "", shown: "", textTime_ms: -Infinity,
    };
    Object.assign(track, { person, goal, here: true });
    if (track.shown !== shown || now_ms - track.textTime_ms >= TEXT_EVERY_MS) {
      track.text = person.sure ? `${shown} ${this.words.percent(person.confidence)}` : shown;
      track.shown = shown;
      track.textTime_ms = now_ms;
    }
    this.tracks.set(person.face_id, track);
  }

  #ask() {
    this.frame ||= requestAnimationFrame((now_ms) => this.#draw(now_ms));
  }

  /** @param {number} now_ms */
  #draw(now_ms) {
    this.frame = 0;
    const passed_ms = Math.min(100, now_ms - this.last_ms || 16);
    this.last_ms = now_ms;
    const still = calm();
    const share = still ? 1 : 1 - Math.exp(-passed_ms / GLIDE_MS);
    let moving = false;
    for (const [id, track] of this.tracks) {
      const wanted = track.here ? 1 : 0;
      const step = still ? 1 : passed_ms / FADE_MS;
      track.opacity += Math.max(-step, Math.min(step, wanted - track.opacity));
      if (!track.here && track.opacity <= 0) {
        this.tracks.delete(id);
        continue;
      }
      track.now = track.goal.map((goal, i) => {
        const from = track.now[i] ?? goal;
        return Math.abs(goal - from) < 0.2 ? goal : from + share * (goal - from);
      });
      moving ||= track.opacity !== wanted || track.now.some((value, i) => value !== track.goal[i]);
    }
    this.#paint();
    this.drawn.splice(0).forEach((done) => done());
    if (moving) this.#ask();
    else this.last_ms = 0;
  }

  #paint() {
    const area = sharp(this.canvas);
    if (!area || !this.size.width) return;
    const { context, width, height } = area;
    // As `object-fit: contain` places the picture.
    const scale = Math.min(width / this.size.width, height / this.size.height);
    const left = (width - this.size.width * scale) / 2;
    const top = (height - this.size.height * scale) / 2;
    const across = (/** @type {number} */ x) => left + scale * (this.mirrored ? this.size.width - x : x);
    const down = (/** @type {number} */ y) => top + scale * y;
    const marks = [...this.tracks.values()].map((track) => {
      const [x, y, w, h, ...points] = track.now;
      const landmarks = [];
      for (let i = 0; i + 1 < points.length; i += 2) landmarks.push([across(points[i]), down(points[i + 1])]);
      return {
        x: across(this.mirrored ? x + w : x),
        y: down(y),
        width: w * scale,
        height: h * scale,
        landmarks,
        name: faceNumber(track.person.face_id),
        text: track.text,
        colors: this.palette.of(track.person),
        certainty: track.person.sure ? track.person.confidence : 1,
        opacity: track.opacity,
        strong: track.person.face_id === this.strong,
      };
    });
    // Labels last: a neighbour's box must not cross them.
    marks.forEach((mark) => drawBox(context, mark));
    marks.forEach((mark) => drawLabel(context, mark, { width, height }));
  }
}
