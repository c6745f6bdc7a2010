/** The live page's view of one robot. @module */

import { el, icon, setText } from "./dom.js";
import { PeopleView } from "./people-view.js";
import { Rate } from "./rates.js";
import { post } from "./server.js";
import { sentence } from "./shell.js";
import { Stage } from "./stage.js";
import { StatusLine } from "./status-line.js";
import { faceNumber } from "./words.js";

const MOST_RESPONSES = 30;
const NUMBERS_EVERY_MS = 500;
/** The state of a robot that has left. */
const GONE = { level: "stale", sentence: "" };
const LEVELS = { ok: "good", warn: "wait", error: "bad", stale: "bad" };

export class RobotView {
  /**
   * @param {object} tools
   * @param {string} tools.robot its name
   * @param {import("./robots-feed.js").RobotsFeed} tools.feed
   * @param {import("./types.js").Info} tools.info
   * @param {import("./palette.js").Palette} tools.palette
   * @param {import("./words.js").Words} tools.words
   */
  constructor({ robot, feed, info, palette, words }) {
    this.robot = robot;
    this.feed = feed;
    this.info = info;
    this.words = words;
    this.canvas = /** @type {HTMLCanvasElement} */ (el("canvas", { role: "img", "aria-label": words.say("robot.picture", { robot }) }));
    this.stage = new Stage(this.canvas);
    this.stage.live.append(el("span", { class: "dot", "aria-hidden": "true" }), robot);
    this.view = new PeopleView({ info, palette, words, stage: this.stage });
    this.status = new StatusLine();
    this.pictures = new Rate();
    this.entered = false;
    this.picture_ms = 0;
    this.problem = null;
    this.timer = 0;
    /** @type {{response: any, moment: Date, time: HTMLElement}[]} newest first */
    this.responses = [];
    this.didNothing = el("p", { class: "nobody" }, words.say("robot.did_nothing"));
    this.log = el("ol", { class: "log", reversed: true });
    this.policy = el("dl", { class: "facts" });
    if (info.role === "operator") {
      this.pauseButton = el("button", { type: "button", class: "button quiet", onclick: () => this.#pause() });
      this.status.actions.append(this.pauseButton);
    }
    const did = el("section", { class: "panel", "aria-labelledby": "did-title" },
      el("h2", { id: "did-title", class: "panel-title" }, words.say("robot.did")), this.didNothing, this.log);
    const runs = el("section", { class: "panel", "aria-labelledby": "runs-title" },
      el("h2", { id: "runs-title", class: "panel-title" }, words.say("robot.runs")), this.policy);
    const people = this.view.people.element;
    // With numbers alone, the strips take the place of the picture.
    this.left = info.numbers_only
      ? [this.view.minute, this.status.element, did]
      : [this.stage.element, this.view.minute, this.status.element];
    this.right = info.numbers_only ? [people, runs] : [people, did, runs];
    this.view.minute.classList.toggle("tall", info.numbers_only);
    this.changed();
  }

  enter() {
    this.entered = true;
    if (!this.info.numbers_only) this.feed.look(this.robot);
    this.view.start();
    this.#numbers();
  }

  leave() {
    this.entered = false;
    clearTimeout(this.timer);
    this.feed.look(null);
    this.view.stop();
  }

  /** The robot's state, or the connection to the server, changed. */
  changed() {
    const state = this.feed.robots.get(this.robot) ?? GONE;
    if (this.pauseButton) {
      this.pauseButton.replaceChildren(icon(state.paused ? "play" : "pause"), this.words.say(state.paused ? "resume" : "pause"));
    }
    this.stage.note(this.#note(state));
    this.stage.live.hidden = this.stage.element.classList.contains("has-note");
    this.#showPolicy(state);
    this.#showStatus();
  }

  /** @param {any} event `emotions` or `response` */
  event(event) {
    if (event.type === "response") return this.#respond(event);
    if (event.type !== "emotions" || !this.entered) return;
    this.view.show(event, event.stamp_secs);
  }

  /** @param {Blob} picture */
  async picture(picture) {
    const bitmap = await createImageBitmap(picture);
    if (this.canvas.width !== bitmap.width || this.canvas.height !== bitmap.height) {
      this.canvas.width = bitmap.width;
      this.canvas.height = bitmap.height;
      this.stage.shape(bitmap.width, bitmap.height);
    }
    this.canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
    bitmap.close();
    this.pictures.add();
    const first = this.picture_ms === 0;
    this.picture_ms = performance.now();
    if (first) this.changed();
  }

  async #pause() {
    const paused = !(this.feed.robots.get(this.robot)?.paused ?? false);
    this.problem = null;
    try {
      await post(`robots/${pathName(this.robot)}/pause`, { paused });
    } catch (error) {
      this.problem = error;
    }
    this.#showStatus();
  }

  /** @param {any} response */
  #respond(response) {
    const { words } = this;
    const did = [
      response.speech && words.say("robot.says", { speech: response.speech }),
      response.gesture && words.say("robot.gesture", { gesture: response.gesture }),
      response.expression && words.say("robot.expression", { expression: words.expression(response.expression) }),
    ].filter(Boolean);
    const time = el("time", { class: "log-time" });
    this.responses.unshift({ response, moment: new Date(), time });
    this.log.prepend(
      el("li", { class: "log-item" },
        el("div", { class: "log-head" },
          response.face_id ? el("span", { class: "badge small", "aria-label": words.face(response.face_id) }, faceNumber(response.face_id)) : null,
          el("strong", {}, response.rule ?? ""), time),
        did.length ? el("p", {}, did.join(" · ")) : null,
        response.reason ? el("p", { class: "muted" }, words.say("robot.because", { reason: response.reason })) : null),
    );
    for (const { time: old } of this.responses.splice(MOST_RESPONSES)) old.closest("li")?.remove();
    this.didNothing.hidden = true;
    this.view.tick(response.rule ?? "");
    this.#showTimes();
  }

  #showTimes() {
    for (const { moment, time } of this.responses) setText(time, this.words.ago(moment));
  }

  #numbers() {
    clearTimeout(this.timer);
    this.#showTimes();
    this.#showStatus();
    this.timer = setTimeout(() => this.#numbers(), NUMBERS_EVERY_MS);
  }

  #showStatus() {
    const state = this.feed.robots.get(this.robot) ?? GONE;
    const { words } = this;
    if (this.feed.state !== "open") return this.status.show("wait", words.say(this.feed.state === "lost" ? "status.lost" : "status.connecting"));
    if (this.problem) return this.status.show("bad", sentence(words, this.problem));
    if (state.paused) return this.status.show("wait", words.say("status.paused"));
    const level = /** @type {import("./status-line.js").Level} */ (LEVELS[/** @type {keyof LEVELS} */ (state.level)] ?? "wait");
    const known = (/** @type {any} */ value) => typeof value === "number" && Number.isFinite(value);
    this.status.show(level, level === "good" ? words.say("status.running") : state.sentence || words.say("robot.unknown"), [
      ...(known(state.rate_per_sec) ? [words.say("status.per_sec", { count: words.number(state.rate_per_sec, 1) })] : []),
      ...(known(state.latency_p50_ms) ? [words.say("robot.latency", { ms: words.number(state.latency_p50_ms) })] : []),
      ...(known(state.dropped) ? [words.count("robot.dropped", state.dropped)] : []),
    ]);
  }

  /** @param {any} state */
  #showPolicy(state) {
    const { words } = this;
    const { policy, model } = state;
    const facts = [
      ["robot.policy", policy?.file],
      ["robot.rules", policy?.rules.join(", ")],
      ["robot.fingerprint", policy?.sha256.slice(0, 12)],
      ["robot.model", model?.name],
    ];
    this.policy.replaceChildren(
      ...facts.filter(([, value]) => value).map(([key, value]) => el("div", {}, el("dt", {}, words.say(key)), el("dd", {}, value))),
    );
  }

  /**
   * @param {any} state
   * @returns {import("./stage.js").Note|null}
   */
  #note(state) {
    const { words } = this;
    const note = (/** @type {string} */ symbol, /** @type {string} */ key, /** @type {string} */ text = "", over = this.picture_ms > 0) => ({
      icon: symbol, title: words.say(`${key}.title`), text: text || words.say(`${key}.text`), over,
    });
    if (this.feed.state === "lost") return note("offline", "lost");
    if (this.feed.state === "busy") return note("busy", "busy");
    if (this.feed.state === "refused") return note("lock", "refused", sentence(words, this.feed.problem));
    if (state.paused) {
      const actions = this.info.role === "operator" ? [{ label: words.say("resume"), act: () => this.#pause() }] : [];
      return { ...note("pause", "robot.paused"), actions };
    }
    if (state.level === "stale" || state.level === "error") return note("robot", "robot.silent", state.sentence);
    if (this.picture_ms === 0) return note("robot", "robot.waiting", state.sentence, false);
    return null;
  }
}

/**
 * The name of a robot as the part of a path: without its first slash, and `-` for a mere `/`.
 * @param {string} robot
 */
function pathName(robot) {
  return encodeURIComponent(robot.replace(/^\//, "")) || "-";
}
