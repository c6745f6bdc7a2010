/** Buttons of which one is pressed. @module */

import { el } from "./dom.js";

/**
 * @param {string} label what is chosen, for screen readers
 * @param {{value: string, text: string}[]} options
 * @param {string} chosen
 * @param {(value: string) => void} choose
 */
export function segmented(label, options, chosen, choose) {
  const buttons = options.map(({ value, text }) =>
    el("button", {
      type: "button", class: "segment", "aria-pressed": String(value === chosen), "data-value": value,
      onclick: () => {
        for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.value === value));
        choose(value);
      },
    }, text));
  return el("div", { class: "segments", role: "group", "aria-label": label }, ...buttons);
}
