/** The page for pictures and videos. @module */

import { el, icon, setText } from "../dom.js";
import { PictureCard, VideoCard } from "../file-card.js";
import { analysePicture, analyseVideo } from "../file-work.js";
import { FacesTable } from "../faces-table.js";
import { Palette } from "../palette.js";
import { save, toCsv, toJson } from "../results.js";
import { Problem } from "../server.js";
import { addSignOut, leaveForSignIn, loadInfo, ratingOnly, sentence, startPage } from "../shell.js";
import { NotPlayable } from "../video-steps.js";
import { WhyDialog } from "../why-dialog.js";

const MOST_FILES = 200;
const KINDS = "image/jpeg,image/png,image/webp,video/*";
const MB = 1e6;

const shell = await startPage("pictures");
const { words } = shell;
const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const content = /** @type {HTMLElement} */ (document.getElementById("content"));
const info = await loadInfo((problem) => {
  content.replaceChildren(el("p", { class: "waiting", role: "status" }, sentence(words, problem)));
});
addSignOut(shell, info);
const tools = { info, palette: new Palette(info.colors), words };

if (info.role === "rating") content.replaceChildren(...ratingOnly(words));
else workbench();

/** Files that wait, their cards, and what was found. */
function workbench() {
  /** @type {{file: File, card: PictureCard|VideoCard}[]} */
  let waiting = [];
  /** @type {(PictureCard|VideoCard)[]} */
  let cards = [];
  /** @type {import("../results.js").Result[]} */
  let results = [];
  /** @type {AbortController|null} */
  let work = null;
  let done = 0;

  const why = new WhyDialog(tools);
  const table = new FacesTable(words, tools.palette);
  const grid = el("div", { class: "files" });
  const chooser = /** @type {HTMLInputElement} */ (
    el("input", { type: "file", multiple: true, accept: KINDS, class: "hidden-text", id: "files", tabindex: -1, "aria-label": words.say("pictures.choose"), onchange: () => take(chooser.files) })
  );
  const choose = () => chooser.click();
  const rate = /** @type {HTMLSelectElement} */ (
    el("select", { class: "select", id: "rate" }, ...[1, 2, 5, 10, 25].map((n) => el("option", { value: n, selected: n === 10 }, words.number(n))))
  );
  const drop = el("div", { class: "drop" },
    el("div", { class: "drop-icon" }, icon("upload")),
    el("div", { class: "drop-text" },
      el("h2", { class: "drop-title" }, words.say("pictures.drop")),
      el("p", { class: "muted" }, words.say("pictures.kinds", { host: location.host }))),
    el("button", { type: "button", class: "button primary", onclick: choose }, words.say("pictures.choose")),
    el("div", { class: "rate" }, el("label", { for: "rate" }, words.say("pictures.rate")), rate));
  const bar = /** @type {HTMLProgressElement} */ (el("progress", { max: 1, value: 0, "aria-label": words.say("pictures.results") }));
  const state = el("p", { class: "work-state", role: "status" });
  const cancel = el("button", { type: "button", class: "button quiet", onclick: stop }, words.say("pictures.cancel"));
  const exports = el("div", { class: "exports" },
    el("button", { type: "button", class: "button", "aria-label": words.say("pictures.download_json"), id: "json", onclick: () => save("rapport.json", toJson(results), "application/json") }, icon("download"), words.say("pictures.json")),
    el("button", { type: "button", class: "button", "aria-label": words.say("pictures.download_csv"), id: "csv", onclick: () => save("rapport.csv", toCsv(results, info.labels), "text/csv") }, icon("download"), words.say("pictures.csv")),
    el("button", { type: "button", class: "button quiet", onclick: clear }, words.say("pictures.clear")));
  const full = el("p", { class: "problem", role: "alert", hidden: true }, icon("warning"), el("span", {}, words.say("pictures.too_many", { count: MOST_FILES })));
  const workLine = el("div", { class: "work" }, el("div", { class: "work-text" }, state, bar), cancel, exports);

  content.replaceChildren(chooser, drop, full, workLine, grid, table.element, why.element);
  listenForDrops();
  show();

  /** @param {FileList|null|undefined} files */
  function take(files) {
    for (const file of files ?? []) {
      full.hidden = cards.length < MOST_FILES;
      if (!full.hidden) break;
      const card = file.type.startsWith("video/") ? new VideoCard(file, tools) : new PictureCard(file, tools, (f, face) => why.show(f, face));
      cards.push(card);
      grid.append(card.element);
      const refusal = unfit(file);
      if (refusal) card.fail(refusal);
      else waiting.push({ file, card });
    }
    chooser.value = "";
    if (!work) void workThrough();
    show();
  }

  async function workThrough() {
    work = new AbortController();
    const { signal } = work;
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { file, card } = next;
      setText(state, words.say("pictures.now", { name: file.name }));
      try {
        const result = card instanceof VideoCard
          ? await analyseVideo(card, file.name, Number(rate.value), signal, (share) => show(share))
          : await analysePicture(card, signal);
        if (signal.aborted && !(card instanceof VideoCard)) break;
        results.push(result);
        if (signal.aborted) card.fail(words.say("pictures.cancelled"));
      } catch (error) {
        if (error instanceof Problem && error.status === 401) await leaveForSignIn();
        card.fail(signal.aborted ? words.say("pictures.cancelled") : reason(error));
      }
      done++;
      if (signal.aborted) break;
      table.show(results);
      show();
    }
    if (work?.signal === signal) work = null;
    table.show(results);
    setText(state, cards.length ? words.count("pictures.done", results.length) : "");
    show();
    if (waiting.length && !work) void workThrough();
  }

  function stop() {
    for (const { card } of waiting) card.fail(words.say("pictures.cancelled"));
    waiting = [];
    work?.abort();
  }

  function clear() {
    stop();
    for (const card of cards) if (card instanceof VideoCard) card.forget();
    cards = [];
    results = [];
    done = 0;
    full.hidden = true;
    grid.replaceChildren();
    table.show(results);
    show();
  }

  /** @param {number} [share] of the file at work */
  function show(share = 0) {
    main.classList.toggle("has-files", cards.length > 0);
    workLine.hidden = cards.length === 0;
    cancel.hidden = !work;
    bar.hidden = !work;
    bar.value = (done + share) / Math.max(1, done + waiting.length + (work ? 1 : 0));
    exports.hidden = results.length === 0;
    if (results.length === 0) table.element.hidden = true;
  }

  function listenForDrops() {
    let depth = 0;
    const over = (/** @type {boolean} */ is) => drop.classList.toggle("over", is);
    addEventListener("dragenter", (event) => (event.preventDefault(), depth++, over(true)));
    addEventListener("dragleave", () => over(--depth > 0));
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      depth = 0;
      over(false);
      take(event.dataTransfer?.files);
    });
  }
}

/**
 * Why a file is not even sent.
 * @param {File} file
 * @returns {string|null}
 */
function unfit(file) {
  if (file.type.startsWith("video/")) return null;
  if (!/^image\/(jpeg|png|webp)$/.test(file.type)) {
    return words.say("pictures.not_a_picture", { type: file.type || words.say("pictures.unknown_type") });
  }
  const most = info.limits.picture_bytes;
  if (file.size <= most) return null;
  return words.say("pictures.too_large", { found: words.number(file.size / MB, 1), allowed: words.number(most / MB, 1) });
}

/** @param {unknown} error */
function reason(error) {
  if (error instanceof NotPlayable) return words.say("pictures.not_readable");
  if (error instanceof Problem && [error.document.type, error.document.problem].includes("/api#paused")) return words.say("paused.title");
  return sentence(words, error);
}
