/** What every page has: its texts, the navigation, and what the server says about itself. @module */

import { el, icon } from "./dom.js";
import { Problem, ask, post, signInAddress } from "./server.js";
import { loadWords } from "./words.js";

const PAGES = [
  { name: "live", path: "/", icon: "camera" },
  { name: "pictures", path: "/pictures", icon: "pictures" },
  { name: "history", path: "/history", icon: "history" },
  { name: "ratings", path: "/ratings", icon: "rate" },
  { name: "review", path: "/review", icon: "review" },
  { name: "system", path: "/system", icon: "system" },
  { name: "api", path: "/api", icon: "code" },
  { name: "notice", path: "/notice", icon: "notice" },
];
/** So many stand beside each other on a phone; the others are behind a button. */
const ON_A_PHONE = 4;

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
    el("nav", { class: "nav", "aria-label": words.say("nav") }, ...links.slice(0, ON_A_PHONE), ...others(words, links.slice(ON_A_PHONE))),
    tools,
  );
  return { words, tools };
}

/**
 * The pages for which a phone has no room, and the button that shows them there.
 * @param {import("./words.js").Words} words
 * @param {HTMLElement[]} links
 */
function others(words, links) {
  const current = links.some((link) => link.hasAttribute("aria-current"));
  const list = el("div", { class: "nav-others", id: "nav-others" }, ...links);
  const show = (/** @type {boolean} */ shown) => {
    list.classList.toggle("shown", shown);
    button.setAttribute("aria-expanded", String(shown));
  };
  const button = el("button", {
    type: "button", class: current ? "nav-link nav-more current" : "nav-link nav-more", "aria-expanded": "false", "aria-controls": "nav-others",
    onclick: () => show(!list.classList.contains("shown")),
  }, icon("more"), el("span", {}, words.say("nav.more")));
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !list.classList.contains("shown")) return;
    show(false);
    button.focus();
  });
  addEventListener("click", (event) => {
    if (event.target instanceof Node && !list.contains(event.target) && !button.contains(event.target)) show(false);
  });
  return [list, button];
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
 * What a page shows on a tablet that is set up for ratings only.
 * @param {import("./words.js").Words} words
 */
export function ratingOnly(words) {
  return [
    el("p", { class: "waiting" }, words.say("rating_only")),
    el("p", { class: "rate-link" }, el("a", { class: "button primary", href: "/rate" }, icon("rate"), words.say("ratings.open"))),
  ];
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
