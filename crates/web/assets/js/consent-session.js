/** A camera and a live session in which one person consents that faces of theirs are kept. @module */

import { Camera, CameraError } from "./camera.js";
import { Grabber } from "./grabber.js";
import { Problem, socketAddress } from "./server.js";

const LONGEST_SIDE_PX = 640;
const JPEG_QUALITY = 0.92;
/** Often enough to follow a face without a break. */
const PERIOD_MS = 100;

/**
 * @typedef {object} Listener
 * @property {(code: string, until: string) => void} consented from now on faces are kept
 * @property {(view: "nobody"|"alone"|"others") => void} view who is before the camera
 * @property {(faces: number) => void} kept so many faces are kept now
 * @property {(reason: string, faces: number) => void} ended no more are kept
 * @property {(error: unknown) => void} failed before anything was kept
 */

export class ConsentSession {
  /** @param {Listener} listener */
  constructor(listener) {
    this.listener = listener;
    this.video = document.createElement("video");
    this.video.playsInline = true;
    this.video.muted = true;
    this.camera = new Camera(() => this.#over("camera"));
    this.grabber = new Grabber({ longestSide_px: LONGEST_SIDE_PX, quality: JPEG_QUALITY });
    /** @type {WebSocket|null} */
    this.socket = null;
    this.consents = false;
    this.faces = 0;
    this.timer = 0;
  }

  /** Opens the camera, and tells the server that the person consents: called by their tap alone. */
  async start() {
    try {
      const stream = await this.camera.open();
      if (!stream) return;
      this.video.srcObject = stream;
      await this.video.play();
    } catch (error) {
      this.close();
      this.listener.failed(error instanceof CameraError ? error : new CameraError("none"));
      return;
    }
    this.video.classList.toggle("mirrored", this.camera.facesUser);
    const socket = new WebSocket(socketAddress("live"));
    this.socket = socket;
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    socket.onclose = () => this.#over("lost");
  }

  /** The person wants no more faces kept. */
  end() {
    if (this.consents) this.#say({ type: "end_consent" });
    else this.close();
  }

  close() {
    clearTimeout(this.timer);
    this.consents = false;
    this.camera.close();
    this.grabber.close();
    this.video.srcObject = null;
    if (!this.socket) return;
    this.socket.onmessage = this.socket.onclose = null;
    this.socket.close(1000);
    this.socket = null;
  }

  /** @param {any} message */
  #hear(message) {
    if (message.type === "hello") {
      if (message.paused) this.#fail(new Problem({ status: 503, type: "/api#paused" }));
      else this.#say({ type: "consent" });
    } else if (message.type === "consent") {
      this.consents = true;
      this.listener.consented(message.code, message.until);
      void this.#send();
    } else if (message.type === "consenting") {
      this.listener.view(message.view);
    } else if (message.type === "kept") {
      this.faces = message.faces;
      this.listener.kept(message.faces);
    } else if (message.type === "consent_ended") {
      this.faces = message.faces;
      this.#over(message.reason);
    } else if (message.type === "problem" && !this.consents) {
      this.#fail(new Problem(message));
    } else if (message.type === "observation" || message.type === "problem") {
      this.timer = setTimeout(() => this.#send(), PERIOD_MS);
    } else if (message.type === "paused" && !message.paused && this.consents) {
      void this.#send();
    }
  }

  async #send() {
    try {
      const picture = await this.grabber.grab(this.video);
      if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(picture);
    } catch {
      // The camera may be between two pictures.
      this.timer = setTimeout(() => this.#send(), PERIOD_MS);
    }
  }

  /** @param {any} message */
  #say(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /** @param {string} reason */
  #over(reason) {
    const { consents, faces } = this;
    this.close();
    if (consents) this.listener.ended(reason, faces);
    else this.listener.failed(new Problem({ status: 0 }));
  }

  /** @param {unknown} error */
  #fail(error) {
    this.close();
    this.listener.failed(error);
  }
}
