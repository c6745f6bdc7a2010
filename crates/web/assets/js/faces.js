/** Five faces from very bad to very good, drawn so that each differs by its mouth, not its colour. @module */

import { svg } from "./dom.js";

/** The mouth of each, and its brows. */
const MOUTHS = [
  "M16 35c2-5 5-7 8-7s6 2 8 7",
  "M16 33c3-2.5 5-3 8-3s5 .500 8 3",
  "M16 31h16",
  "M16 29c3 2.5 5 3 8 3s5-.500 8-3",
  "M14.500 28c2 6 6 8.500 9.500 8.500s7.500-2.5 9.500-8.500z",
];
const BROWS = ["M13.5 17l4.5-3M34.5 17l-4.5-3", "", "", "", ""];

/** @param {number} rating 1 to 5 */
export function face(rating) {
  const brows = BROWS[rating - 1];
  return svg("svg", { class: "rating-face", viewBox: "0 0 48 48", "aria-hidden": "true" },
    svg("circle", { cx: 24, cy: 24, r: 21 }),
    svg("path", { d: "M17 19.500v2M31 19.500v2", class: "rating-eyes" }),
    svg("path", { d: MOUTHS[rating - 1], class: rating === 5 ? "rating-laugh" : "" }),
    ...(brows ? [svg("path", { d: brows })] : []));
}
