/** Whether the server and its robots run. @module */

import { el } from "./dom.js";

const LEVELS = { ok: "good", warn: "wait", error: "bad", stale: "bad" };

/**
 * @param {import("./words.js").Words} words
 * @param {import("./types.js").Info} info
 * @param {any} health
 * @param {{robot: string, state: any}[]} robots
 */
export function runningPanel(words, info, health, robots) {
  const ok = health.status === "ok";
  const facts = [
    ["system.version", health.version],
    ["system.model", info.model.name],
    ["system.sessions", words.say("system.sessions_of", { count: words.number(health.sessions), most: words.number(health.sessions_max) })],
  ];
  return el("section", { class: "panel running", "data-level": ok ? "good" : "wait", "aria-labelledby": "running-title" },
    el("h2", { id: "running-title", class: "running-title" }, el("span", { class: "dot", "aria-hidden": "true" }), words.say(ok ? "system.runs" : "system.paused")),
    el("dl", { class: "facts" }, ...facts.map(([key, value]) => el("div", {}, el("dt", {}, words.say(key)), el("dd", {}, value)))),
    robots.length > 0 && el("ul", { class: "robots", "aria-label": words.say("system.robots") }, ...robots.map(({ robot, state }) => robotLine(words, robot, state))));
}

/**
 * @param {import("./words.js").Words} words
 * @param {string} robot
 * @param {any} state
 */
function robotLine(words, robot, state) {
  const level = state.paused ? "wait" : (LEVELS[/** @type {keyof LEVELS} */ (state.level)] ?? "bad");
  const text = state.paused ? words.say("status.paused") : level === "good" ? words.say("status.running") : state.sentence || words.say("robot.unknown");
  return el("li", { class: "robot-line", "data-level": level }, el("span", { class: "dot", "aria-hidden": "true" }),
    el("strong", {}, robot), el("span", {}, text),
    typeof state.rate_per_sec === "number" && el("span", { class: "muted" }, words.say("status.per_sec", { count: words.number(state.rate_per_sec, 1) })));
}
