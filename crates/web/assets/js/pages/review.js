/** The page on which an operator says what faces show. @module */

import { el, icon } from "../dom.js";
import { ReviewCard } from "../review-card.js";
import { reviewFigures } from "../review-figures.js";
import { Problem, ask, post } from "../server.js";
import { addSignOut, leaveForSignIn, loadInfo, sentence, startPage } from "../shell.js";

const shell = await startPage("review");
const { words } = shell;
const say = words.say.bind(words);
const content = /** @type {HTMLElement} */ (document.getElementById("content"));
const info = await loadInfo((problem) => content.replaceChildren(el("p", { class: "waiting", role: "status" }, sentence(words, problem))));
addSignOut(shell, info);

const left = el("div", { class: "review-left" });
const right = el("div", { class: "review-right" });
const heard = el("p", { class: "hidden-text", role: "status" });
/** The item before, to be corrected. @type {import("../review-card.js").ReviewItem|null} */
let before = null;
const card = new ReviewCard({ words, labels: info.labels, answer, back });

if (!info.feedback) content.replaceChildren(nothing("review.off", el("pre", { tabindex: 0 }, el("code", {}, say("review.off.command")))));
else if (info.role !== "operator") content.replaceChildren(nothing("review.forbidden", el("a", { class: "button", href: "/sign-in?next=/review" }, say("sign_in.go"))));
else {
  content.replaceChildren(heard, left, right);
  await Promise.all([next(), figures()]);
}

async function next() {
  try {
    const { item } = await ask("feedback/next");
    if (!item) {
      left.replaceChildren(nothing("review.done", el("a", { class: "button", href: "/consent" }, say("review.consent_page"))));
      return;
    }
    card.show(item, before !== null);
    if (!card.element.isConnected) left.replaceChildren(card.element);
  } catch (error) {
    await fail(error);
  }
}

async function figures() {
  try {
    right.replaceChildren(reviewFigures(words, await ask("feedback")), emptyPanel());
  } catch (error) {
    await fail(error);
  }
}

/** @param {string} said */
async function answer(said) {
  const { item } = card;
  if (!item) return;
  card.enable(false);
  try {
    await post(`feedback/items/${item.id}/answer`, { answer: said });
    before = item;
    const text = words.has(`review.${said}`) ? say(`review.${said}`) : words.expression(said);
    heard.textContent = say("review.noted", { answer: text });
  } catch (error) {
    // Withdrawn meanwhile: there is nothing to say of it any more.
    if (!(error instanceof Problem && error.status === 404)) return fail(error);
  }
  await Promise.all([next(), figures()]);
}

function back() {
  if (!before) return;
  card.show(before, false);
  before = null;
  if (!card.element.isConnected) left.replaceChildren(card.element);
}

/** @param {unknown} error */
async function fail(error) {
  if (error instanceof Problem && error.status === 401) await leaveForSignIn();
  if (card.element.isConnected) return card.fail(sentence(words, error));
  left.replaceChildren(el("p", { class: "problem", role: "alert" }, icon("warning"), el("span", {}, sentence(words, error))));
}

/**
 * @param {string} key
 * @param {...Node} more what to do next
 */
function nothing(key, ...more) {
  return el("section", { class: "panel review-nothing" }, el("h2", {}, say(`${key}.title`)), el("p", { class: "muted" }, say(`${key}.text`)), ...more);
}

/** One button, and one question before. */
function emptyPanel() {
  const dialog = /** @type {HTMLDialogElement} */ (el("dialog", { class: "dialog", "aria-labelledby": "empty-title" }));
  const remove = async () => {
    dialog.close();
    try {
      await post("feedback/empty", {});
      before = null;
      heard.textContent = say("review.emptied");
      await Promise.all([next(), figures()]);
    } catch (error) {
      await fail(error);
    }
  };
  dialog.append(
    el("h2", { id: "empty-title" }, say("review.empty.title")),
    el("p", {}, say("review.empty.text")),
    el("div", { class: "dialog-actions" },
      el("button", { type: "button", class: "button", onclick: () => dialog.close() }, say("review.empty.no")),
      el("button", { type: "button", class: "button danger", onclick: remove }, say("review.empty.yes"))));
  return el("section", { class: "panel review-empty" },
    el("p", {}, words.count("review.keeps", info.feedback.keep_days)),
    el("button", { type: "button", class: "button danger", onclick: () => dialog.showModal() }, say("review.empty")),
    dialog);
}
