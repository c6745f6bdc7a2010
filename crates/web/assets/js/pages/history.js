/** The page of what the journal holds: over time, by hour and weekday, by rule, before and after. @module */

import { answersPanel } from "../answers-table.js";
import { ComparisonView } from "../comparison-view.js";
import { el, setText } from "../dom.js";
import { downloadsPanel } from "../downloads.js";
import { VISIT_FIGURES, whyNone } from "../figures.js";
import { HoursTable } from "../hours-table.js";
import { askJournal } from "../journal.js";
import { loadPlaces, nothingIn, startJournalPage, troubleOf } from "../journal-page.js";
import { JournalTools } from "../journal-tools.js";
import { Palette } from "../palette.js";
import { sharesPanel } from "../shares-panel.js";
import { tiles } from "../tiles.js";
import { TimeChart } from "../time-chart.js";

const page = await startJournalPage("history");
const places = page && (await loadPlaces(page));
if (page && places) showHistory(page, places);

/**
 * @param {import("../journal-page.js").JournalPage} page
 * @param {string[]} places
 */
function showHistory({ words, info, content }, places) {
  const palette = new Palette(info.colors);
  const [visits] = VISIT_FIGURES;
  let kind = visits;
  /** What is shown, so that another figure needs no question. */
  let known = { all: /** @type {any} */ (null), periods: /** @type {any[]} */ ([]), week: /** @type {any} */ (null) };
  let number = 0;

  const tools = new JournalTools({ words, places, changed: () => void load() });
  const trouble = el("div", {});
  const top = el("div", {});
  const chartTitle = el("h2", { id: "chart-title", class: "panel-title" });
  const chartText = el("p", { class: "muted small-text" });
  const chartBox = el("div", {});
  /** @type {Map<string, TimeChart>} */
  const charts = new Map();
  const counts = new TimeChart({ words, label: words.say("figure.visits"), height_px: 220 });
  const countsBelow = new TimeChart({ words, label: words.say("figure.visits"), height_px: 120, below: true });
  const hoursTitle = el("h2", { id: "hours-title", class: "panel-title" });
  const hours = new HoursTable({ words, title_id: "hours-title" });
  const shares = el("div", { class: "half" });
  const answers = el("div", { class: "half" });
  const comparison = new ComparisonView(words);
  const downloads = el("div", {});
  const panels = el("div", { class: "panels" },
    top,
    el("section", { class: "panel", "aria-labelledby": "chart-title" }, chartTitle, chartText, chartBox),
    el("section", { class: "panel", "aria-labelledby": "hours-title" }, hoursTitle, hours.element, hours.note),
    el("div", { class: "halves" }, shares, answers),
    comparison.element,
    downloads);
  content.replaceChildren(tools.element, trouble, panels);
  void load();

  async function load() {
    const mine = ++number;
    panels.setAttribute("aria-busy", "true");
    const { scope, span } = tools;
    try {
      const [all, periods, week, answered] = await Promise.all([
        askJournal("history", scope, { period: "all" }),
        askJournal("history", scope, { period: span.by }),
        askJournal("hours", scope),
        askJournal("answers", scope),
        comparison.show(tools.place),
      ]);
      if (mine !== number) return;
      const nothing = all[0]?.visits ? null : await nothingIn(words, tools.place);
      if (mine !== number) return;
      trouble.replaceChildren(...(nothing ? [nothing] : []));
      panels.hidden = nothing !== null;
      known = { all: all[0], periods, week };
      shares.replaceChildren(sharesPanel({ words, palette }, known.all));
      answers.replaceChildren(answersPanel(words, answered));
      downloads.replaceChildren(downloadsPanel(words, scope));
      draw();
    } catch (error) {
      if (mine === number) trouble.replaceChildren(troubleOf(words, error));
    } finally {
      if (mine === number) panels.removeAttribute("aria-busy");
    }
  }

  function draw() {
    const { slots } = tools.span;
    const byPeriod = new Map(known.periods.map((period) => [period.period, period]));
    const of = slots.map(({ period }) => byPeriod.get(period));
    const why = (/** @type {number} */ slot) => whyNone(words, of[slot]);
    const figures = (/** @type {import("../figures.js").FigureKind} */ kind) => of.map((summed) => (summed ? kind.of(summed) : null));
    const pressed = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.figure : undefined;
    top.replaceChildren(tiles(words, VISIT_FIGURES, known.all, kind.key, (key) => {
      kind = VISIT_FIGURES.find((other) => other.key === key) ?? kind;
      draw();
    }));
    if (pressed) /** @type {HTMLElement|null} */ (top.querySelector(`[data-figure="${pressed}"]`))?.focus();
    const name = words.say(`figure.${kind.key}`);
    setText(chartTitle, name);
    setText(chartText, words.say(`figure.${kind.key}.text`));
    setText(hoursTitle, words.say("hours.title", { figure: name }));
    if (kind === visits) {
      chartBox.replaceChildren(counts.element);
      counts.show({ slots, figures: figures(visits), unit: "count", why });
    } else {
      const chart = charts.get(kind.key) ?? new TimeChart({ words, label: name, height_px: 240 });
      charts.set(kind.key, chart);
      // What it rests on stands below it.
      chartBox.replaceChildren(chart.element, el("h3", { class: "chart-below" }, words.say("figure.visits")), countsBelow.element);
      chart.show({ slots, figures: figures(kind), unit: kind.unit, why });
      countsBelow.show({ slots, figures: figures(visits), unit: "count", why });
    }
    hours.show(known.week, kind);
  }
}
