/** Tells a screen reader what changed, and no more than that. @module */

/** A label must last so long to be told. */
const LASTS_MS = 1500;
const TELL_EVERY_MS = 4000;
const MOST_NAMES = 3;

export class Announcer {
  /**
   * @param {HTMLElement} region an element with `role="status"`
   * @param {import("./words.js").Words} words
   */
  constructor(region, words) {
    this.region = region;
    this.words = words;
    /** @type {Map<string, {shown: string, since_ms: number, told: string}>} */
    this.faces = new Map();
    this.told_ms = -Infinity;
  }

  /** @param {import("./types.js").Person[]} people */
  show(people) {
    const now_ms = performance.now();
    const ids = new Set(people.map(({ face_id }) => face_id));
    for (const id of this.faces.keys()) if (!ids.has(id)) this.faces.delete(id);
    for (const person of people) {
      const shown = this.words.shown(person);
      const face = this.faces.get(person.face_id);
      if (!face) this.faces.set(person.face_id, { shown, since_ms: now_ms, told: "" });
      else if (face.shown !== shown) Object.assign(face, { shown, since_ms: now_ms });
    }
    if (now_ms - this.told_ms < TELL_EVERY_MS) return;
    const changed = [...this.faces].filter(
      ([, face]) => face.told !== face.shown && now_ms - face.since_ms >= LASTS_MS,
    );
    if (!changed.length) return;
    for (const [, face] of changed) face.told = face.shown;
    this.told_ms = now_ms;
    this.region.textContent =
      changed.length > MOST_NAMES
        ? this.words.count("people.in_view", people.length)
        : changed.map(([id, face]) => this.words.say("face_shows", { face: this.words.face(id), shown: face.shown })).join(", ");
  }
}
