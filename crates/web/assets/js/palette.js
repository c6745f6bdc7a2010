/** The colours of expressions, as the server gives them. @module */

const NOT_SURE = { line: "#8e9198", background: "#5b5e66" };

export class Palette {
  /** @param {import("./types.js").Colors} colors */
  constructor(colors) {
    this.colors = colors;
  }

  /** @param {string} label */
  line(label) {
    return (this.colors[label] ?? NOT_SURE).line;
  }

  /**
   * The colours of what a face shows; grey where it is not sure.
   * @param {{label: string, sure: boolean}} person
   */
  of(person) {
    return (person.sure && this.colors[person.label]) || NOT_SURE;
  }
}
