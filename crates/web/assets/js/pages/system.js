/** The page that says whether everything works, and whether what the camera sees still looks as it did. @module */

import { accuracyPanel, driftPanel } from "../drift-panels.js";
import { el, icon } from "../dom.js";
import { askJournal } from "../journal.js";
import { startJournalPage, troubleOf } from "../journal-page.js";
import { journalPanel } from "../journal-panel.js";
import { ask } from "../server.js";
import { runningPanel } from "../running-panel.js";

const AGAIN_MS = 5_000;
/** What is compared with the first week. */
const NOW_DAYS = 7;

const page = await startJournalPage("system");
if (page) showSystem(page);

/** @param {import("../journal-page.js").JournalPage} page */
function showSystem({ words, info, content }) {
  /** @type {string} */
  let place = new URLSearchParams(location.search).get("place") ?? "";
  let timer = 0;
  const running = el("div", {});
  const alerts = el("div", {});
  const journal = el("div", { class: "half" });
  const accuracy = el("div", { class: "half" });
  const choice = el("div", { class: "journal-tools", hidden: true });
  const drift = el("div", {});
  content.replaceChildren(
    el("div", { class: "panels" }, running, alerts, choice, el("div", { class: "halves" }, journal, accuracy), drift, links()));
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void load();
  });
  void load();

  async function load() {
    clearTimeout(timer);
    await Promise.all([loadRunning(), loadJournal()]);
    // Nobody looks at a hidden page.
    if (!document.hidden) timer = setTimeout(load, AGAIN_MS);
  }

  async function loadRunning() {
    try {
      const [health, robots] = await Promise.all([ask("health"), info.robots ? ask("robots") : []]);
      running.replaceChildren(runningPanel(words, info, health, robots));
    } catch (error) {
      running.replaceChildren(troubleOf(words, error));
    }
  }

  async function loadJournal() {
    if (!info.journal) return journal.replaceChildren(journalPanel(words, null));
    try {
      const [status, places] = await Promise.all([askJournal("status"), askJournal("places")]);
      journal.replaceChildren(journalPanel(words, status));
      alerts.replaceChildren(...alertsOf(status.alerts));
      if (!places.includes(place)) [place = ""] = places;
      showChoice(places);
      await loadDrift();
    } catch (error) {
      for (const part of [alerts, accuracy, drift, choice]) part.replaceChildren();
      journal.replaceChildren(troubleOf(words, error));
    }
  }

  async function loadDrift() {
    const asked = place;
    if (!asked) {
      accuracy.replaceChildren(accuracyPanel(words, null));
      drift.replaceChildren(driftPanel(words, null));
      return;
    }
    const to = new Date();
    const from = new Date(to.getTime() - NOW_DAYS * 86_400_000);
    const scope = { place, from, to };
    const [estimate, changes] = await Promise.all([askJournal("accuracy", scope), askJournal("drift", scope)]);
    if (asked !== place) return;
    accuracy.replaceChildren(accuracyPanel(words, estimate));
    drift.replaceChildren(driftPanel(words, changes));
  }

  /** @param {string[]} places */
  function showChoice(places) {
    const shown = [...choice.querySelectorAll("option")].map((option) => option.value);
    choice.hidden = places.length < 2;
    if (shown.join("\n") === places.join("\n")) return;
    const select = /** @type {HTMLSelectElement} */ (el("select", { class: "select", id: "place", onchange: () => {
      place = select.value;
      history.replaceState(null, "", `?${new URLSearchParams({ place })}`);
      void loadDrift();
    } }, ...places.map((value) => el("option", { value, selected: value === place }, value))));
    choice.replaceChildren(el("label", { for: "place" }, words.say("place")), select);
  }

  /** @param {{kind: string, place: string|null, since_secs: number, sentence: string}[]} found */
  function alertsOf(found) {
    if (!found.length) return [];
    const items = found.map(({ place: where, since_secs, sentence }) =>
      el("li", { class: "problem" }, icon("warning"),
        el("div", {}, where && el("strong", {}, where), el("p", { lang: "en" }, sentence),
          el("p", { class: "muted small-text" }, words.say("alerts.since", { moment: words.moment(new Date(1000 * since_secs)) })))));
    return [el("section", { class: "panel", role: "alert", "aria-labelledby": "alerts-title" },
      el("h2", { id: "alerts-title", class: "panel-title" }, words.say("alerts.title"), el("span", { class: "count" }, words.number(items.length))),
      el("ul", { class: "alerts" }, ...items))];
  }

  function links() {
    const link = (/** @type {string} */ href, /** @type {string} */ symbol, /** @type {string} */ key) => el("a", { class: "button", href }, icon(symbol), words.say(key));
    return el("nav", { class: "links", "aria-label": words.say("links") },
      link("/metrics", "code", "links.metrics"), link("/history", "history", "links.history"), link("/api", "code", "links.api"));
  }
}
