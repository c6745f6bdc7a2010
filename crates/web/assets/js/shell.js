/** What every page has: its texts, the navigation, and what the server says about itself. @module */

import { el, icon } from "./dom.js";
import { Problem, ask, post, signInAddress } from "./server.js";
import { loadWords } from "./words.js";

const PAGES = [
  { name: "live", path: "/", icon: "camera" },
  { name: "pictures", path: "/pictures", icon: "pictures" },
  { name: "review", path: "/review", icon: "review" },
  { name: "api", path: "/api", icon: "code" },
  { name: "notice", path: "/notice", icon: "notice" },
];

/**
 * @typedef {object} Shell
 * @property {import("./words.js").Words} words
 * @property {HTMLElement} tools at the right end of the header
 */

/**
 * Fills in the texts of a page and its navigation.
 * @param {string} page `live`, `pictures`, ...
 * @returns {Promise<Shell>}
 */
export async function startPage(page) {
  const words = await loadWords();
  document.documentElement.lang = words.language;
  document.title = page === "live" ? "Rapport" : `${words.say(`nav.${page}`)} · Rapport`;
  words.fill(document);
  const tools = el("div", { class: "top-tools" });
  const links = PAGES.map(({ name, path, icon: symbol }) =>
    el(
      "a",
      { href: path, class: "nav-link", "aria-current": name === page ? "page" : null },
      icon(symbol),
      el("span", {}, words.say(`nav.${name}`)),
    ),
  );
  document.getElementById("top")?.append(
    el("a", { href: "/", class: "brand" }, icon("mark"), el("span", {}, "Rapport")),
    el("nav", { class: "nav", "aria-label": words.say("nav") }, ...links),
    tools,
  );
  return { words, tools };
}

/**
 * What the server says about itself. Where it wants a token first, the browser goes to that page,
 * and this never returns. Where nobody answers it asks again until somebody does.
 * @param {(problem: Problem) => void} waiting called after each try that failed
 * @returns {Promise<import("./types.js").Info>}
 */
export async function loadInfo(waiting) {
  for (let wait_ms = 500; ; wait_ms = Math.min(8000, wait_ms * 2)) {
    try {
      const info = await ask("info");
      if (!info.sign_in_needed || info.role) return info;
      return leaveForSignIn();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 401) return leaveForSignIn();
      waiting(error);
      await new Promise((resolve) => setTimeout(resolve, wait_ms));
    }
  }
}

/** @returns {Promise<never>} */
export function leaveForSignIn() {
  location.replace(signInAddress());
  return new Promise(() => {});
}

/**
 * The button by which who signed in with a token signs out.
 * @param {Shell} shell
 * @param {import("./types.js").Info} info
 */
export function addSignOut({ words, tools }, info) {
  if (!info.signed_in) return;
  const leave = () => post("sign-out", {}).finally(() => location.assign("/sign-in"));
  tools.append(el("button", { type: "button", class: "button quiet", onclick: leave }, words.say("sign_out")));
}

/**
 * A line of text for a problem.
 * @param {import("./words.js").Words} words
 * @param {unknown} error
 */
export function sentence(words, error) {
  if (!(error instanceof Problem)) return String(error instanceof Error ? error.message : error);
  return error.status === 0 ? words.say("problem.no_answer") : error.message;
}
