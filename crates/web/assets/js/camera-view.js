/** The live page's view of this device's camera. @module */

import { Camera, CameraError, cameras } from "./camera.js";
import { el, icon } from "./dom.js";
import { Grabber } from "./grabber.js";
import { PeopleView } from "./people-view.js";
import { Rate } from "./rates.js";
import { post, socketAddress } from "./server.js";
import { leaveForSignIn, sentence } from "./shell.js";
import { Reconnecting } from "./socket.js";
import { Stage } from "./stage.js";
import { StatusLine } from "./status-line.js";

const LONGEST_SIDE_PX = 640;
const JPEG_QUALITY = 0.85;
/** More does not look smoother, and costs other sessions their turn. */
const SHORTEST_PERIOD_MS = 0.9 * (1000 / 30);
const AFTER_PROBLEM_MS = 1000;
const ANSWER_MS = 5000;
const NUMBERS_EVERY_MS = 500;

export class CameraView {
  /**
   * @param {object} tools
   * @param {import("./types.js").Info} tools.info
   * @param {import("./palette.js").Palette} tools.palette
   * @param {import("./words.js").Words} tools.words
   */
  constructor({ info, palette, words }) {
    this.info = info;
    this.words = words;
    this.video = /** @type {HTMLVideoElement} */ (el("video", { playsinline: true, muted: true }));
    // The attribute alone does not mute a video that a script made.
    this.video.muted = true;
    this.stage = new Stage(this.video);
    // Upright on a phone that is held upright.
    this.video.addEventListener("resize", () => this.stage.shape(this.video.videoWidth, this.video.videoHeight));
    this.stage.element.classList.toggle("blurred", info.blur_faces);
    this.stage.element.classList.toggle("no-picture", info.numbers_only);
    this.view = new PeopleView({ info, palette, words, stage: this.stage });
    this.status = new StatusLine();
    this.camera = new Camera((trouble) => this.#fail(trouble));
    this.grabber = new Grabber({ longestSide_px: LONGEST_SIDE_PX, quality: JPEG_QUALITY });
    this.socket = new Reconnecting(socketAddress("live"), {
      message: (message) => this.#hear(message),
      state: (state, problem) => this.#connection(state, problem),
    });
    this.rate = new Rate();
    this.latency = new Rate(4000);
    this.paused = info.paused;
    this.mirrored = true;
    /** @type {"off"|"asking"|"on"} */
    this.mode = "off";
    /** @type {import("./camera.js").CameraTrouble|null} */
    this.trouble = null;
    /** @type {unknown} a picture that the server could not use */
    this.problem = null;
    /** When a picture was last asked about whose answer is awaited; 0 where none is. */
    this.asked_ms = 0;
    /** When that picture was taken. */
    this.taken_ms = 0;
    /** When the newest picture was taken that was not sent yet; 0 where there is none. */
    this.fresh_ms = 0;
    /** No picture is sent before. */
    this.next_ms = 0;
    this.timer = 0;
    this.choice = /** @type {HTMLSelectElement} */ (
      el("select", { class: "select", "aria-label": words.say("camera.choose"), onchange: () => this.start(this.choice.value) })
    );
    this.stage.live.append(el("span", { class: "dot", "aria-hidden": "true" }), words.say("live"));
    this.stage.controls.append(
      this.choice,
      el("button", { type: "button", class: "round", "aria-label": words.say("camera.mirror"), title: words.say("camera.mirror"), onclick: () => this.#mirror(!this.mirrored) }, icon("mirror")),
      el("button", { type: "button", class: "button on-picture", id: "stop", onclick: () => this.stop() }, icon("stop"), words.say("camera.stop")),
    );
    if (info.role === "operator") {
      this.pauseButton = el("button", { type: "button", class: "button quiet", onclick: () => this.#setPaused(!this.paused) });
      this.status.actions.append(this.pauseButton);
    }
    this.left = [this.stage.element, this.view.minute, this.status.element];
    this.right = [this.view.people.element];
    this.#show();
  }

  /** The view is chosen. */
  enter() {}

  /** Another view is chosen. */
  leave() {
    this.stop();
  }

  /** @param {string} [deviceId] */
  async start(deviceId) {
    this.trouble = null;
    this.mode = "asking";
    this.#show();
    try {
      const stream = await this.camera.open(deviceId);
      if (!stream) return;
      this.video.srcObject = stream;
      await this.video.play();
    } catch (error) {
      this.#fail(error instanceof CameraError ? error.trouble : "none");
      return;
    }
    if (!this.camera.stream) return;
    this.mode = "on";
    this.#mirror(this.camera.facesUser);
    this.socket.open();
    this.view.start();
    this.#numbers();
    this.#show();
    this.#follow();
    await this.#listCameras();
  }

  stop() {
    this.mode = "off";
    clearTimeout(this.timer);
    this.camera.close();
    this.video.srcObject = null;
    this.socket.close();
    this.grabber.close();
    this.view.stop();
    this.asked_ms = this.fresh_ms = 0;
    this.problem = null;
    this.#show();
  }

  /** @param {import("./camera.js").CameraTrouble} trouble */
  #fail(trouble) {
    this.stop();
    this.trouble = trouble;
    this.#show();
  }

  async #listCameras() {
    const list = await cameras();
    this.choice.replaceChildren(
      ...list.map(({ id, name }, i) =>
        el("option", { value: id }, name || this.words.say("camera.numbered", { number: i + 1 })),
      ),
    );
    this.choice.value = this.camera.deviceId;
    this.choice.hidden = list.length < 2;
  }

  /** @param {boolean} mirrored */
  #mirror(mirrored) {
    this.mirrored = mirrored;
    this.video.classList.toggle("mirrored", mirrored);
    this.view.overlay.mirror(mirrored);
  }

  /** @param {boolean} paused */
  async #setPaused(paused) {
    try {
      await post("pause", { paused });
      this.paused = paused;
      this.problem = null;
    } catch (error) {
      this.problem = error;
    }
    this.#show();
  }

  /** Notes each new picture of the camera, and sends it unless an answer is still awaited. */
  #follow() {
    if (this.following || this.mode !== "on") return;
    this.following = true;
    const { video } = this;
    const next = (/** @type {number} */ now_ms, /** @type {any} */ frame) => {
      this.following = false;
      this.fresh_ms = frame?.presentationTime ?? now_ms;
      void this.#send();
      this.#follow();
    };
    // Where the browser has it: when a new picture came, and never for a hidden page.
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(next);
    else requestAnimationFrame(next);
  }

  /** Sends the newest picture, if it was not sent yet and no answer is awaited. */
  async #send() {
    const fresh_ms = this.fresh_ms;
    const now_ms = performance.now();
    const may = this.mode === "on" && this.socket.isOpen && !this.paused && !document.hidden;
    if (!may || this.asked_ms || !fresh_ms || now_ms < this.next_ms || !this.video.videoWidth) return;
    this.fresh_ms = 0;
    this.asked_ms = now_ms;
    this.taken_ms = fresh_ms;
    this.next_ms = now_ms + SHORTEST_PERIOD_MS;
    try {
      const picture = await this.grabber.grab(this.video);
      if (this.asked_ms !== now_ms || !this.socket.isOpen) return;
      this.socket.send({ type: "picture", time_secs: fresh_ms / 1000 });
      this.socket.send(picture);
    } catch (error) {
      if (this.mode !== "on") return;
      this.problem = error;
      this.asked_ms = 0;
      this.next_ms = now_ms + AFTER_PROBLEM_MS;
    }
  }

  /** @param {any} message */
  #hear(message) {
    if (message.type === "hello") {
      this.view.forget();
      this.paused = message.paused === true;
      this.asked_ms = 0;
    } else if (message.type === "observation") {
      const taken_ms = this.taken_ms;
      this.asked_ms = 0;
      this.problem = null;
      this.rate.add();
      this.view.show(message, message.time_secs, () => this.latency.add(performance.now() - taken_ms));
      this.size = `${message.width}×${message.height}`;
    } else if (message.type === "paused") {
      this.paused = message.paused;
      // Nothing says whether the picture on its way was still looked at.
      this.asked_ms = 0;
      if (this.paused) this.view.overlay.clear();
    } else if (message.type === "problem") {
      this.problem = message.detail ?? message.title;
      this.asked_ms = 0;
      this.next_ms = performance.now() + AFTER_PROBLEM_MS;
    }
    if (message.type !== "observation") this.#show();
    void this.#send();
  }

  /**
   * @param {import("./socket.js").SocketState} state
   * @param {import("./server.js").Problem|null} problem
   */
  #connection(state, problem) {
    if (problem?.status === 401) leaveForSignIn();
    this.asked_ms = 0;
    this.refusal = problem;
    if (state !== "open") this.view.overlay.clear();
    this.#show();
  }

  /** Twice a second: the status line, and whether the server still answers. */
  #numbers() {
    clearTimeout(this.timer);
    if (this.asked_ms && performance.now() - this.asked_ms > ANSWER_MS && !document.hidden) this.socket.restart();
    this.#showStatus();
    this.timer = setTimeout(() => this.#numbers(), NUMBERS_EVERY_MS);
  }

  #show() {
    this.stage.element.dataset.mode = this.mode;
    this.stage.live.hidden = !(this.mode === "on" && this.socket.isOpen && !this.paused);
    this.stage.note(this.#note());
    if (this.pauseButton) {
      this.pauseButton.replaceChildren(icon(this.paused ? "play" : "pause"), this.words.say(this.paused ? "resume" : "pause"));
      this.pauseButton.setAttribute("aria-label", this.words.say(this.paused ? "resume_all" : "pause_all"));
    }
    this.view.people.element.hidden = this.mode !== "on";
    this.#showStatus();
  }

  #showStatus() {
    const say = (/** @type {string} */ key) => this.words.say(key);
    if (this.paused) return this.status.show("wait", say("status.paused"));
    if (this.mode !== "on") return this.status.show("off", say("status.ready"), [`${say("status.model")} ${this.info.model.name}`]);
    if (this.socket.state === "busy") return this.status.show("wait", say("status.busy"));
    if (this.socket.state === "refused") return this.status.show("bad", sentence(this.words, this.refusal));
    if (!this.socket.isOpen) return this.status.show("wait", say(`status.${this.socket.state === "lost" ? "lost" : "connecting"}`));
    if (this.problem) return this.status.show("bad", sentence(this.words, this.problem));
    const median_ms = this.latency.median();
    this.status.show("good", say("status.running"), [
      this.words.say("status.per_sec", { count: this.words.number(this.rate.perSec(), 1) }),
      ...(median_ms === null ? [] : [this.words.say("status.latency", { ms: this.words.number(median_ms) })]),
      ...(this.size ? [this.size] : []),
    ]);
  }

  /** @returns {import("./stage.js").Note|null} */
  #note() {
    const say = (/** @type {string} */ key, values = {}) => this.words.say(key, values);
    const begin = { label: say("camera.start"), act: () => this.start() };
    const again = { label: say("camera.again"), act: () => this.start() };
    const note = (/** @type {string} */ symbol, /** @type {string} */ key, /** @type {any} */ more = {}) => ({
      icon: symbol, title: say(`${key}.title`), text: say(`${key}.text`, { host: location.host }), ...more,
    });
    if (this.trouble) {
      const insecure = this.trouble === "insecure";
      return note(insecure ? "lock" : "camera-off", `camera.${this.trouble}`, { actions: insecure ? [] : [again] });
    }
    if (this.mode === "asking") return note("camera", "camera.asking");
    if (this.paused) {
      const resume = { label: say("resume"), act: () => this.#setPaused(false) };
      const actions = this.info.role === "operator" ? [resume] : [];
      return note("pause", "paused", { actions, over: this.mode === "on" });
    }
    if (this.mode === "off") return note("camera", "camera.idle", { actions: [begin] });
    if (this.socket.state === "lost") return note("offline", "lost", { over: true });
    if (this.socket.state === "busy") return note("busy", "busy", { over: true });
    if (this.socket.state === "refused") {
      return { ...note("lock", "refused", { over: true }), text: sentence(this.words, this.refusal) };
    }
    return null;
  }
}
