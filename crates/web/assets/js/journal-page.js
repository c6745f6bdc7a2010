/** What the pages of the journal share: who may see them, and what they say where there is no journal. @module */

import { el, icon } from "./dom.js";
import { askJournal } from "./journal.js";
import { Problem } from "./server.js";
import { addSignOut, leaveForSignIn, loadInfo, ratingOnly, sentence, startPage } from "./shell.js";

/**
 * @typedef {object} JournalPage
 * @property {import("./shell.js").Shell} shell
 * @property {import("./words.js").Words} words
 * @property {import("./types.js").Info} info
 * @property {HTMLElement} content
 */

/**
 * Starts a page. Where nobody may see it the browser goes on to another one, or is told why; then
 * this gives nothing.
 * @param {string} name
 * @returns {Promise<JournalPage|null>}
 */
export async function startJournalPage(name) {
  const shell = await startPage(name);
  const { words } = shell;
  const content = /** @type {HTMLElement} */ (document.getElementById("content"));
  const info = await loadInfo((problem) => {
    content.replaceChildren(el("p", { class: "waiting", role: "status" }, sentence(words, problem)));
  });
  addSignOut(shell, info);
  if (info.role === "rating") {
    content.replaceChildren(...ratingOnly(words));
    return null;
  }
  return { shell, words, info, content };
}

/**
 * The places of the journal; where no journal is kept the page says what to do next, and this gives
 * nothing.
 * @param {JournalPage} page
 * @returns {Promise<string[]|null>}
 */
export async function loadPlaces({ words, info, content }) {
  try {
    if (info.journal) return await askJournal("places");
    content.replaceChildren(noJournal(words));
  } catch (error) {
    content.replaceChildren(troubleOf(words, error));
  }
  return null;
}

/** @param {import("./words.js").Words} words */
export function noJournal(words) {
  return emptyState(words.say("journal.none.title"), words.say("journal.none.text"), words.say("journal.none.command"));
}

/**
 * What stands in the place of a span about which nothing is known.
 * @param {import("./words.js").Words} words
 * @param {string} place empty for all
 */
export async function nothingIn(words, place) {
  const [ever] = await askJournal("history", null, place ? { period: "all", place } : { period: "all" });
  if (!ever?.visits) return emptyState(words.say("journal.empty.title"), words.say("journal.empty.text"));
  const [from, to] = [ever.from_secs, ever.to_secs].map((at) => words.moment(new Date(1000 * at)));
  return emptyState(words.say("journal.elsewhere.title"), words.say("journal.elsewhere.text", { from, to }));
}

/**
 * What a page shows in the place of what could not be loaded.
 * @param {import("./words.js").Words} words
 * @param {unknown} error
 */
export function troubleOf(words, error) {
  if (error instanceof Problem && error.status === 401) void leaveForSignIn();
  return el("p", { class: "problem", role: "alert" }, icon("warning"), el("span", {}, sentence(words, error)));
}

/**
 * What to do next where there is nothing to show.
 * @param {string} title
 * @param {string} text
 * @param {string} [command] that helps
 */
export function emptyState(title, text, command) {
  return el("section", { class: "empty" },
    el("div", { class: "empty-icon" }, icon("history")),
    el("h2", { class: "empty-title" }, title),
    el("p", { class: "muted" }, text),
    command && el("pre", { class: "empty-command" }, command));
}

/**
 * The way to the page on which guests rate; where there are several places, it needs one.
 * @param {import("./words.js").Words} words
 * @param {string} [place]
 * @param {boolean} [needsPlace]
 */
export function rateLink(words, place, needsPlace = false) {
  if (needsPlace && !place) return el("p", { class: "rate-link muted small-text" }, words.say("ratings.choose_place"));
  const href = place ? `/rate?${new URLSearchParams({ place })}` : "/rate";
  return el("p", { class: "rate-link" }, el("a", { class: "button primary", href }, icon("rate"), words.say("ratings.open")));
}
