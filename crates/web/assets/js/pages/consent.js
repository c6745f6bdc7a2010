/** The page of a tablet on which people consent that faces of theirs are kept, or withdraw. @module */

import { CameraError } from "../camera.js";
import { ConsentSession } from "../consent-session.js";
import { el, icon, setText } from "../dom.js";
import { Problem, post } from "../server.js";
import { loadInfo, sentence, startPage } from "../shell.js";

/** The code must not stay for whoever comes next. */
const FORGET_MS = 90_000;

const { words } = await startPage("consent");
const say = words.say.bind(words);
const content = /** @type {HTMLElement} */ (document.getElementById("content"));
const info = await loadInfo((problem) => show(el("p", { class: "waiting", role: "status" }, sentence(words, problem))));
/** @type {ConsentSession|null} */
let session = null;
let forget = 0;

if (!info.feedback) show(title("consent.off.title"), el("p", { class: "lead" }, say("consent.off.text")));
else if (info.role === "rating") show(title("consent.off.title"), el("p", { class: "lead" }, say("rating_only")));
else welcome();

/** @param {...Node} children */
function show(...children) {
  content.replaceChildren(...children);
  const heading = content.querySelector("h1");
  // Who cannot see the page hears where they are.
  if (heading instanceof HTMLElement && document.activeElement !== document.body) heading.focus();
}

/** @param {string} key */
function title(key) {
  return el("h1", { tabindex: -1 }, say(key));
}

/**
 * @param {string} kind
 * @param {string} key
 * @param {() => void} act
 */
function button(kind, key, act) {
  return el("button", { type: "button", class: `button large ${kind}`, onclick: act }, say(key));
}

function welcome() {
  clearTimeout(forget);
  session?.close();
  session = null;
  const { keep_days, pictures_per_minute, longest_minutes } = info.feedback;
  const { operator, contact } = info.notice ?? {};
  const facts = ["what", "until_when", "who", "how_long", "way_out"].flatMap((key) => [
    el("dt", {}, say(`consent.${key}`)),
    el("dd", {}, say(`consent.${key}.text`, {
      most: pictures_per_minute, minutes: longest_minutes, days: words.count("days", keep_days),
      operator: operator || say("consent.operator_unset"), contact: contact || say("consent.contact_unset"),
    })),
  ]);
  show(
    title("consent.title"),
    el("p", { class: "lead" }, say("consent.text")),
    el("dl", { class: "consent-facts" }, ...facts),
    el("div", { class: "consent-choice" },
      // Yes and no look alike: nobody is pushed.
      button("", "consent.yes", begin),
      button("", "consent.no", () => {
        show(title("consent.no.title"), el("p", { class: "lead" }, say("consent.no.text")), button("", "consent.back", welcome));
        forgetLater(8_000);
      })),
    el("p", {}, el("button", { type: "button", class: "button quiet", onclick: withdrawal }, icon("lock"), say("consent.have_code"))),
  );
}

/** Called by the tap on "yes" and by nothing else. */
function begin() {
  show(title("camera.asking.title"), el("p", { class: "lead" }, say("camera.asking.text")), button("", "consent.back", welcome));
  let code = "";
  let until = "";
  const count = el("p", { class: "consent-count", role: "status" }, words.count("consent.kept", 0));
  const view = el("p", { class: "consent-view" }, say("consent.view.nobody"));
  session = new ConsentSession({
    consented: (newCode, lastDay) => {
      code = newCode;
      until = lastDay;
      show(
        title("consent.active.title"),
        el("div", { class: "consent-now" },
          el("div", { class: "consent-video" }, session?.video ?? "", view),
          el("div", { class: "consent-side" }, codeBox(code), count, el("p", { class: "muted" }, say("consent.active.text")))),
        el("div", { class: "consent-choice" },
          button("primary", "consent.stop", () => session?.end()),
          button("", "consent.delete", () => remove(code))),
      );
      document.body.dataset.state = "active";
    },
    view: (who) => {
      setText(view, say(`consent.view.${who}`));
      view.dataset.view = who;
    },
    kept: (faces) => setText(count, words.count("consent.kept", faces)),
    ended: (reason, faces) => ended(reason, faces, code, until),
    failed: (error) => failed(error),
  });
  void session.start();
}

/** @param {string} code */
function codeBox(code) {
  return el("div", { class: "code-box" },
    el("p", {}, say("consent.code")),
    el("p", { class: "code", id: "code" }, code),
    el("p", { class: "muted" }, say("consent.code.text")));
}

/**
 * @param {string} reason
 * @param {number} faces
 * @param {string} code
 * @param {string} until
 */
function ended(reason, faces, code, until) {
  delete document.body.dataset.state;
  if (reason === "withdrawn") return deleted(faces);
  const why = words.has(`consent.ended.${reason}`) ? say(`consent.ended.${reason}`) : "";
  const date = new Date(`${until}T12:00:00Z`).toLocaleDateString(words.language, { dateStyle: "long" });
  const what = faces ? words.count("consent.ended.kept", faces, { date }) : say("consent.ended.none");
  show(
    title("consent.ended.title"),
    el("p", { class: "lead" }, `${why} ${what}`.trim()),
    ...(faces ? [codeBox(code)] : []),
    el("div", { class: "consent-choice" },
      button("primary", "consent.done", welcome),
      ...(faces ? [button("", "consent.delete", () => remove(code))] : [])),
    el("p", { class: "muted" }, say("consent.forgets")),
  );
  forgetLater(FORGET_MS);
}

/** @param {unknown} error */
function failed(error) {
  delete document.body.dataset.state;
  const camera = error instanceof CameraError;
  const isPaused = error instanceof Problem && [error.document.type, error.document.problem].includes("/api#paused");
  const key = camera ? `camera.${error.trouble}` : isPaused ? "paused" : "consent.failed";
  const text = camera || isPaused ? say(`${key}.text`, { host: location.host }) : sentence(words, error);
  show(title(`${key}.title`), el("p", { class: "lead" }, text), button("primary", "consent.back", welcome));
}

/** @param {string} code */
async function remove(code) {
  session?.close();
  delete document.body.dataset.state;
  try {
    const { faces } = await post("feedback/withdraw", { code });
    deleted(faces);
  } catch (error) {
    // The code must stay in view: without it nothing can be deleted.
    show(title("consent.failed.title"), el("p", { class: "lead" }, sentence(words, error)), codeBox(code),
      el("div", { class: "consent-choice" }, button("primary", "camera.again", () => remove(code)), button("", "consent.back", welcome)));
  }
}

/** @param {number} faces */
function deleted(faces) {
  show(title("consent.deleted.title"), el("p", { class: "lead", role: "status" }, words.count("consent.deleted", faces)), button("primary", "consent.back", welcome));
  forgetLater(FORGET_MS);
}

function withdrawal() {
  const field = /** @type {HTMLInputElement} */ (
    el("input", { class: "field code-field", id: "code-field", type: "text", autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: 24, placeholder: "abcd-efgh-jkmn", required: true })
  );
  const trouble = el("div", { role: "alert" });
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    trouble.replaceChildren();
    try {
      const { faces } = await post("feedback/withdraw", { code: field.value });
      deleted(faces);
    } catch (error) {
      const status = error instanceof Problem ? error.status : 0;
      const text = status === 404 ? say("consent.unknown_code") : status === 400 ? say("consent.no_code") : sentence(words, error);
      trouble.append(el("p", { class: "problem" }, icon("warning"), el("span", {}, text)));
      field.select();
    }
  };
  show(
    title("consent.withdraw.title"),
    el("p", { class: "lead" }, say("consent.withdraw.text")),
    el("form", { class: "code-form", onsubmit: submit },
      el("label", { for: "code-field" }, say("consent.code")), field, trouble,
      el("div", { class: "consent-choice" },
        el("button", { type: "submit", class: "button large primary" }, say("consent.delete")),
        button("", "consent.back", welcome))),
  );
  field.focus();
}

/** @param {number} after_ms without a touch or a key */
function forgetLater(after_ms) {
  clearTimeout(forget);
  const screen = content.firstChild;
  // What is shown by then is not to be interrupted.
  const leave = () => content.firstChild === screen && welcome();
  forget = setTimeout(leave, after_ms);
  for (const act of ["pointerdown", "keydown"]) {
    addEventListener(act, () => {
      if (content.firstChild !== screen) return;
      clearTimeout(forget);
      forget = setTimeout(leave, FORGET_MS);
    });
  }
}
