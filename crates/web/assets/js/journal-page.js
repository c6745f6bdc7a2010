/** What the pages of the journal share: who may see them, and what they say where there is no journal. @module */

import { el, icon } from "./dom.js";
import { askJournal } from "./journal.js";
import { Problem } from "./server.js";
import { addSignOut, leaveForSignIn, loadInfo, sentence, startPage } from "./shell.js";

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
    content.replaceChildren(el("p", { class: "waiting" }, words.say("rating_only")), rateLink(words));
    return null;
  }
  return { shell, words, info, content };
}

/**
 * The places of the journal; where there is no journal, or nothing in it, the page says what to do
 * next, and this gives nothing.
 * @param {JournalPage} page
 * @returns {Promise<string[]|null>}
 */
export async function loadPlaces({ words, content }) {
  try {
    const places = await askJournal("places");
    if (places.length) return places;
    content.replaceChildren(emptyState(words, "journal.empty"));
  } catch (error) {
    content.replaceChildren(troubleOf(words, error));
  }
  return null;
}

/** @param {unknown} error */
export function isNoJournal(error) {
  return error instanceof Problem && error.status === 404;
}

/**
 * What a page shows in the place of what could not be loaded.
 * @param {import("./words.js").Words} words
 * @param {unknown} error
 */
export function troubleOf(words, error) {
  if (error instanceof Problem && error.status === 401) void leaveForSignIn();
  if (isNoJournal(error)) return emptyState(words, "journal.none", "journal.none.command");
  return el("p", { class: "problem", role: "alert" }, icon("warning"), el("span", {}, sentence(words, error)));
}

/**
 * What to do next where there is nothing to show.
 * @param {import("./words.js").Words} words
 * @param {string} key of its title and text
 * @param {string} [command] the key of a command that helps
 */
export function emptyState(words, key, command) {
  return el("section", { class: "empty" },
    el("div", { class: "empty-icon" }, icon("history")),
    el("h2", { class: "empty-title" }, words.say(`${key}.title`)),
    el("p", { class: "muted" }, words.say(`${key}.text`)),
    command && el("pre", { class: "empty-command" }, words.say(command)));
}

/**
 * The way to the page on which guests rate.
 * @param {import("./words.js").Words} words
 * @param {string} [place]
 */
export function rateLink(words, place) {
  const href = place ? `/rate?${new URLSearchParams({ place })}` : "/rate";
  return el("p", { class: "rate-link" }, el("a", { class: "button primary", href }, icon("rate"), words.say("ratings.open")));
}
