/** The page where a token is asked for. @module */

import { el, icon } from "../dom.js";
import { Problem, post } from "../server.js";
import { sentence, startPage } from "../shell.js";

const { words } = await startPage("sign_in");
const content = /** @type {HTMLElement} */ (document.getElementById("content"));
const field = /** @type {HTMLInputElement} */ (
  // A password field: so nobody reads it over a shoulder, and the browser offers to keep it.
  el("input", { class: "field", id: "token", name: "token", type: "password", autocomplete: "current-password", spellcheck: "false", required: true })
);
const button = /** @type {HTMLButtonElement} */ (el("button", { class: "button primary", type: "submit" }, words.say("sign_in.go")));
const trouble = el("div", { role: "alert" });
content.replaceChildren(
  el("form", { class: "sign-in-form", onsubmit: signIn },
    el("label", { for: "token" }, words.say("sign_in.token")), field, trouble, button),
);
field.focus();

/** @param {SubmitEvent} event */
async function signIn(event) {
  event.preventDefault();
  button.disabled = true;
  trouble.replaceChildren();
  try {
    await post("sign-in", { token: field.value.trim() });
    location.replace(next());
  } catch (error) {
    const wrong = error instanceof Problem && (error.status === 401 || error.status === 403);
    const text = wrong ? words.say("sign_in.wrong") : sentence(words, error);
    trouble.append(el("p", { class: "problem" }, icon("warning"), el("span", {}, text)));
    button.disabled = false;
    field.select();
  }
}

/** Where the user wanted to go: a page of this server and nothing else. */
function next() {
  const wanted = new URL(new URLSearchParams(location.search).get("next") ?? "/", location.origin);
  return wanted.origin === location.origin ? wanted.pathname + wanted.search : "/";
}
