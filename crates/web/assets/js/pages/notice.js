/** The page with a sign for guests, to print. @module */

import { el, icon } from "../dom.js";
import { loadInfo, sentence, startPage } from "../shell.js";
import { wordsIn } from "../words.js";

const LANGUAGES = ["de", "en"];

const { words } = await startPage("notice");
const content = /** @type {HTMLElement} */ (document.getElementById("content"));
const [info, ...all] = await Promise.all([
  loadInfo((problem) => content.replaceChildren(el("p", { class: "waiting", role: "status" }, sentence(words, problem)))),
  ...LANGUAGES.map(wordsIn),
]);

const sheet = el("div", { class: "sheet" });
const show = (/** @type {string} */ chosen) => {
  const shown = all.filter(({ language }) => chosen === "both" || language === chosen);
  sheet.replaceChildren(el("div", { class: "sheet-eye" }, icon("eye")), ...shown.map(sign));
  sheet.classList.toggle("two", shown.length > 1);
};
const choices = ["both", ...LANGUAGES].map((value) =>
  el("label", { class: "choice" },
    el("input", { type: "radio", name: "language", value, checked: value === words.language, onchange: () => show(value) }),
    words.say(`notice.${value}`)));
content.replaceChildren(
  el("div", { class: "notice-tools" },
    el("fieldset", { class: "choices" }, el("legend", {}, words.say("notice.languages")), ...choices),
    el("button", { type: "button", class: "button primary", onclick: () => print() }, icon("print"), words.say("notice.print"))),
  sheet,
);
show(words.language);

/** @param {import("../words.js").Words} text in the language of the sign */
function sign(text) {
  const { operator, purpose, contact, more } = info.notice ?? {};
  const facts = [
    ["sign.purpose", purpose || text.say("sign.purpose.unset")],
    ["sign.stored", text.say(info.feedback ? "sign.stored.consent" : "sign.stored.text")],
    ["sign.counted", info.journal ? text.say("sign.counted.text") : ""],
    ["sign.choice", text.say("sign.choice.text")],
    ["sign.operator", operator],
    ["sign.contact", contact],
    ["sign.more", more],
  ].filter(([, value]) => value);
  return el("section", { class: "sign", lang: text.language },
    el("h2", { class: "sign-title" }, text.say("sign.title")),
    el("p", { class: "sign-what" }, text.say("sign.what")),
    el("dl", { class: "sign-facts" }, ...facts.flatMap(([key, value]) => [el("dt", {}, text.say(String(key))), el("dd", {}, value)])));
}
