/** The texts of the pages, in the browser's language, and how numbers are written. @module */

const LANGUAGES = ["en", "de"];

/** After this time a server that did not answer is asked again. */
const AGAIN_MS = 1000;

export class Words {
  /**
   * @param {string} language
   * @param {Record<string, string>} texts
   */
  constructor(language, texts) {
    this.language = language;
    this.texts = texts;
    this.percents = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });
    this.plurals = new Intl.PluralRules(language);
    this.clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
    this.moments = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  }

  /**
   * A text with its `{places}` filled in.
   * @param {string} key
   * @param {Record<string, any>} [values]
   */
  say(key, values = {}) {
    const text = this.texts[key] ?? key;
    return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
  }

  /** @param {string} key */
  has(key) {
    return key in this.texts;
  }

  /**
   * A text in singular or plural: the keys `key.one` and `key.other`.
   * @param {string} key
   * @param {number} count
   * @param {Record<string, any>} [values]
   */
  count(key, count, values = {}) {
    const form = this.plurals.select(count) === "one" ? "one" : "other";
    return this.say(`${key}.${form}`, { count: this.number(count), ...values });
  }

  /**
   * An expression as a word; a label that these texts do not know stays as the model names it.
   * @param {string} label
   */
  expression(label) {
    return this.texts[`expression.${label}`] ?? label;
  }

  /**
   * What a face shows: the expression, or that it is not sure.
   * @param {{label: string, sure: boolean}} person
   */
  shown(person) {
    return person.sure ? this.expression(person.label) : this.say("not_sure");
  }

  /**
   * The name of a face: `face_12` is "face 12".
   * @param {string} faceId
   */
  face(faceId) {
    return this.say("face", { number: faceNumber(faceId) });
  }

  /** @param {number} share 0 to 1 */
  percent(share) {
    return this.percents.format(share);
  }

  /**
   * @param {number} value
   * @param {number} [digits] after the decimal point
   */
  number(value, digits = 0) {
    return value.toLocaleString(this.language, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
  }

  /** @param {number} secs */
  duration(secs) {
    if (secs < 60) return this.say("duration.secs", { count: Math.max(0, Math.floor(secs)) });
    if (secs < 3600) return this.say("duration.minutes", { count: Math.floor(secs / 60) });
    return this.say("duration.hours", { count: Math.floor(secs / 3600) });
  }

  /**
   * Day and time.
   * @param {Date} moment
   */
  moment(moment) {
    return this.moments.format(moment);
  }

  /**
   * How long ago a moment is, as a duration within the hour and else as the time of day.
   * @param {Date} moment
   * @param {Date} [now]
   */
  ago(moment, now = new Date()) {
    const secs = (now.getTime() - moment.getTime()) / 1000;
    if (secs < 1) return this.say("now");
    if (secs < 3600) return this.say("ago", { duration: this.duration(secs) });
    return this.clock.format(moment);
  }

  /**
   * Fills in every element below `root` that names its text: `data-text="key"` for its content,
   * `data-label="key"` for `aria-label`, `data-hint="key"` for `placeholder`.
   * @param {ParentNode} root
   */
  fill(root) {
    for (const element of root.querySelectorAll("[data-text]")) {
      element.textContent = this.say(element.getAttribute("data-text") ?? "");
    }
    for (const [data, attribute] of [["data-label", "aria-label"], ["data-hint", "placeholder"]]) {
      for (const element of root.querySelectorAll(`[${data}]`)) {
        element.setAttribute(attribute, this.say(element.getAttribute(data) ?? ""));
      }
    }
  }
}

/**
 * @param {string} faceId
 * @returns {string} what follows the last underscore
 */
export function faceNumber(faceId) {
  return faceId.slice(faceId.lastIndexOf("_") + 1);
}

/**
 * The texts of a language. Where no server answers it asks again until one does.
 * @param {string} language
 * @returns {Promise<Words>}
 */
export async function wordsIn(language) {
  for (;;) {
    try {
      const response = await fetch(`/assets/text/${language}.json`);
      return new Words(language, await response.json());
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

/**
 * The texts in the first of the browser's languages that there is a file for.
 * @param {readonly string[]} [wanted]
 */
export function loadWords(wanted = navigator.languages) {
  const known = wanted.map((language) => language.slice(0, 2)).find((l) => LANGUAGES.includes(l));
  return wordsIn(known ?? "en");
}
