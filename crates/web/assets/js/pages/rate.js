/** Five faces for a tablet at the exit: one tap, thanks, and a pause. @module */

import { el, icon } from "../dom.js";
import { face } from "../faces.js";
import { askJournal } from "../journal.js";
import { Problem, post } from "../server.js";
import { leaveForSignIn, loadInfo, sentence } from "../shell.js";
import { loadWords } from "../words.js";

/** Thanks stay so long; meanwhile nothing can be tapped. */
const THANKS_MS = 5000;
const TROUBLE_MS = 8000;
const OFF_MS = 60_000;
const RATINGS = [1, 2, 3, 4, 5];

const words = await loadWords();
document.documentElement.lang = words.language;
document.title = words.say("rate.page");
const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const place = new URLSearchParams(location.search).get("place") || undefined;
const info = await loadInfo((problem) => show("offline", words.say("rate.trouble.title"), sentence(words, problem)));
// Somebody may start the journal meanwhile.
if (!info.journal) show("offline", words.say("rate.off.title"), words.say("rate.off.text"), OFF_MS, () => location.reload());
else if (place || info.role === "rating") ask();
else await choosePlace();

/** Who sets the tablet up chooses its place, where there are several. */
async function choosePlace() {
  /** @type {string[]} */
  const places = await askJournal("places").catch(() => []);
  if (places.length < 2) return ask();
  main.replaceChildren(
    el("h1", { class: "rate-question" }, words.say("rate.place")),
    el("nav", { class: "rate-places", "aria-label": words.say("rate.place") }, ...places.map((name) =>
      el("a", { class: "button", href: `/rate?${new URLSearchParams({ place: name })}` }, name))));
}

function ask() {
  // On a phone they stand below each other, the best on top.
  const order = matchMedia("(max-width: 560px)").matches ? RATINGS.toReversed() : RATINGS;
  const buttons = order.map((rating) =>
    el("button", { type: "button", class: "rate-face", "data-rating": rating, onclick: () => rate(rating) },
      face(rating), el("span", {}, words.say(`rating.${rating}`))));
  main.replaceChildren(
    el("h1", { class: "rate-question", id: "question" }, words.say("rate.question")),
    el("div", { class: "rate-faces", role: "group", "aria-labelledby": "question" }, ...buttons),
    el("p", { class: "muted rate-note" }, words.say("rate.note")));
}

/** @param {number} rating */
async function rate(rating) {
  for (const button of main.querySelectorAll("button")) button.disabled = true;
  main.querySelector(`[data-rating="${rating}"]`)?.classList.add("chosen");
  try {
    await post("ratings", place ? { place, rating } : { rating });
    thank();
  } catch (error) {
    const status = error instanceof Problem ? error.status : -1;
    if (status === 401) return void leaveForSignIn();
    const secs = error instanceof Problem ? error.document.retry_after_secs : undefined;
    // Somebody tapped twice, or right after another guest: no reason to complain to them.
    if (status === 429) return show("busy", words.say("rate.soon.title"), words.say("rate.soon.text"), secs ? 1000 * secs : THANKS_MS);
    // No place, or one that is not known: whoever set the tablet up must name it.
    if (status === 404 || status === 400) return show("warning", words.say("rate.no_place.title"), words.say("rate.no_place.text"), TROUBLE_MS);
    show("warning", words.say("rate.trouble.title"), sentence(words, error), TROUBLE_MS);
  }
}

function thank() {
  show("check", words.say("rate.thanks.title"), words.say("rate.thanks.text"), THANKS_MS);
}

/**
 * @param {string} symbol
 * @param {string} title
 * @param {string} text
 * @param {number} [back_ms] after which the faces come back; never without it
 * @param {() => void} [back]
 */
function show(symbol, title, text, back_ms, back = ask) {
  main.replaceChildren(
    el("div", { class: "rate-thanks", role: "status" },
      el("div", { class: "rate-icon" }, icon(symbol)),
      el("h1", { class: "rate-question" }, title),
      el("p", { class: "muted rate-note" }, text)));
  main.focus();
  if (back_ms) setTimeout(back, back_ms);
}
