/**
 * What the journal holds, asked from the API. A figure that rests on fewer than ten visits is not
 * in it.
 * @module
 */

import { ask } from "./server.js";

/**
 * @typedef {object} Scope what a question is about
 * @property {string} [place] all places without it
 * @property {Date} from
 * @property {Date} to not in it
 *
 * @typedef {{n: number, count: number, rate: number, low: number, high: number}} Rate
 * @typedef {{n: number, mean: number, low: number, high: number}} Mean
 *
 * @typedef {object} Visits
 * @property {number} visits
 * @property {Mean|null} secs_in_view
 * @property {Rate|null} engaged
 * @property {{n: number, shares: Record<string, number>|null, not_sure: number|null}|null} expressions
 * @property {Rate|null} smiles
 * @property {Mean|null} valence_at_peak
 * @property {Mean|null} valence_at_end
 *
 * @typedef {{n: number, counts: number[], mean: Mean|null}} Ratings
 * @typedef {{images: number, lost_images: number, errors: number, watched_secs: number, paused_secs: number}} Health
 *
 * @typedef {object} Summed figures over a period, an hour of the week, or one side of a comparison
 * @property {Visits|null} visits
 * @property {Ratings|null} ratings
 * @property {Health|null} [health]
 */

/** On so many visits, or ratings, a figure rests at least. */
export const LEAST = 10;

/**
 * @param {string} resource below `journal/`
 * @param {Scope|null} scope
 * @param {Record<string, string|number>} [more]
 */
export function journalPath(resource, scope, more = {}) {
  const query = new URLSearchParams();
  if (scope) {
    if (scope.place) query.set("place", scope.place);
    query.set("from", String(secs(scope.from)));
    query.set("to", String(secs(scope.to)));
  }
  for (const [name, value] of Object.entries(more)) query.set(name, String(value));
  return query.size ? `journal/${resource}?${query}` : `journal/${resource}`;
}

/**
 * @param {string} resource
 * @param {Scope|null} [scope]
 * @param {Record<string, string|number>} [more]
 * @returns {Promise<any>}
 */
export function askJournal(resource, scope = null, more = {}) {
  return ask(journalPath(resource, scope, more));
}

/** @param {Date} moment */
export function secs(moment) {
  return Math.floor(moment.getTime() / 1000);
}
