/** The page of what people said with a tap. @module */

import { el } from "../dom.js";
import { face } from "../faces.js";
import { RATING_COUNT, RATING_FIGURE, whyNone } from "../figures.js";
import { HoursTable } from "../hours-table.js";
import { askJournal } from "../journal.js";
import { emptyState, loadPlaces, rateLink, startJournalPage, troubleOf } from "../journal-page.js";
import { JournalTools } from "../journal-tools.js";
import { tiles } from "../tiles.js";
import { TimeChart } from "../time-chart.js";

const KINDS = [RATING_COUNT, RATING_FIGURE];

const page = await startJournalPage("ratings");
const places = page && (await loadPlaces(page));
if (page && places) showRatings(page, places);

/**
 * @param {import("../journal-page.js").JournalPage} page
 * @param {string[]} places
 */
function showRatings({ words, content }, places) {
  let number = 0;
  const tools = new JournalTools({ words, places, changed: () => void load() });
  const means = new TimeChart({ words, label: words.say("figure.rating"), height_px: 240 });
  const counts = new TimeChart({ words, label: words.say("figure.ratings"), height_px: 120, below: true });
  const hours = new HoursTable({ words, title_id: "hours-title" });
  const body = el("div", { class: "panels" });
  content.replaceChildren(tools.element, body);
  void load();

  async function load() {
    const mine = ++number;
    const { scope, span, place } = tools;
    try {
      const [all, periods, week] = await Promise.all([
        askJournal("history", scope, { period: "all" }),
        askJournal("history", scope, { period: span.by }),
        askJournal("hours", scope),
      ]);
      if (mine !== number) return;
      const summed = all[0];
      const link = rateLink(words, place, places.length > 1);
      if (!summed?.ratings) return body.replaceChildren(emptyState(words.say("ratings.none.title"), words.say("ratings.none.text")), link);
      body.replaceChildren(
        el("div", { class: "halves" },
          el("div", { class: "half" }, tiles(words, KINDS, summed), link, el("p", { class: "muted small-text" }, words.say("ratings.text"))),
          el("div", { class: "half" }, distribution(summed.ratings))),
        el("section", { class: "panel", "aria-labelledby": "chart-title" },
          el("h2", { id: "chart-title", class: "panel-title" }, words.say("figure.rating")), means.element,
          el("h3", { class: "chart-below" }, words.say("figure.ratings")), counts.element),
        el("section", { class: "panel", "aria-labelledby": "hours-title" },
          el("h2", { id: "hours-title", class: "panel-title" }, words.say("hours.title", { figure: words.say("figure.rating") })), hours.element, hours.note));
      const byPeriod = new Map(periods.map((/** @type {any} */ period) => [period.period, period]));
      const { slots } = span;
      const of = slots.map(({ period }) => byPeriod.get(period));
      const why = (/** @type {number} */ slot) => whyNone(words, of[slot] && { ...of[slot], health: null });
      for (const [chart, kind] of /** @type {const} */ ([[means, RATING_FIGURE], [counts, RATING_COUNT]])) {
        chart.show({ slots, figures: of.map((period) => (period ? kind.of(period) : null)), unit: kind.unit, why });
      }
      hours.show({ hours: week.hours, visits_without_hour: 0 }, RATING_FIGURE);
    } catch (error) {
      if (mine === number) body.replaceChildren(troubleOf(words, error));
    }
  }

  /** @param {import("../journal.js").Ratings} ratings */
  function distribution({ n, counts }) {
    const most = Math.max(...counts);
    const rows = counts.map((count, i) => {
      const bar = el("span", { class: "bar" });
      bar.style.transform = `scaleX(${(count / most).toFixed(3)})`;
      return el("div", { class: "bar-row" },
        el("dt", {}, face(i + 1), el("span", {}, words.say(`rating.${i + 1}`))),
        el("dd", {}, el("span", { class: "rail", "aria-hidden": "true" }, bar),
          el("span", { class: "bar-value" }, words.say("ratings.share", { count: words.number(count), share: words.percent(count / n) }))));
    });
    return el("section", { class: "panel", "aria-labelledby": "distribution-title" },
      el("h2", { id: "distribution-title", class: "panel-title" }, words.say("ratings.distribution"),
        el("span", { class: "count" }, words.say("n", { count: words.number(n) }))),
      el("dl", { class: "bars wide ratings" }, ...rows.reverse()));
  }
}
