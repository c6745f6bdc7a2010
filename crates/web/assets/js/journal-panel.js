/** Whether the journal is written, and how it is kept. @module */

import { el, icon } from "./dom.js";
import { noJournal } from "./journal-page.js";

const MB = 1e6;

/**
 * @param {import("./words.js").Words} words
 * @param {any} status nothing where there is no journal
 */
export function journalPanel(words, status) {
  const head = el("h2", { id: "journal-title", class: "panel-title" }, words.say("journal.title"));
  if (!status) return el("section", { class: "panel", "aria-labelledby": "journal-title" }, head, noJournal(words));
  const works = !status.error && !status.waiting;
  const facts = [
    ["journal.file", status.file],
    ["journal.size", typeof status.bytes === "number" ? words.say("journal.megabytes", { count: words.number(status.bytes / MB, 1) }) : words.say("journal.no_file")],
    ["journal.bucket", words.say("journal.minutes", { count: words.number(status.bucket_minutes) })],
    ["journal.kept", words.count("journal.days", status.retention_days)],
    ["journal.least", words.say("journal.least_visits", { count: words.number(status.least_visits) })],
  ];
  return el("section", { class: "panel", "aria-labelledby": "journal-title" }, head,
    el("p", { class: "running-line", "data-level": works ? "good" : "bad" }, el("span", { class: "dot", "aria-hidden": "true" }),
      words.say(works ? "journal.works" : "journal.fails")),
    !works && el("div", { class: "problem" }, icon("warning"), el("div", {},
      status.error && el("p", { lang: "en" }, status.error),
      el("p", {}, words.count("journal.waiting", status.waiting)),
      status.dropped > 0 && el("p", {}, words.count("journal.dropped", status.dropped)))),
    el("dl", { class: "facts" }, ...facts.map(([key, value]) => el("div", {}, el("dt", {}, words.say(key)), el("dd", {}, value)))));
}
