/** A WebSocket that comes back by itself. @module */

import { Problem, ask } from "./server.js";

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 8000;

/**
 * @typedef {"connecting"|"open"|"lost"|"busy"|"refused"|"closed"} SocketState
 */

export class Reconnecting {
  /**
   * @param {string} address
   * @param {object} handlers
   * @param {(message: any) => void} handlers.message every JSON message
   * @param {(bytes: Blob) => void} [handlers.bytes] every binary message
   * @param {(state: SocketState, problem: Problem|null) => void} handlers.state
   */
  constructor(address, handlers) {
    this.address = address;
    this.handlers = handlers;
    /** @type {WebSocket|null} */
    this.socket = null;
    /** @type {SocketState} */
    this.state = "closed";
    this.wait_ms = FIRST_WAIT_MS;
    this.timer = 0;
    this.soon = () => this.#retryNow();
  }

  open() {
    if (this.state !== "closed") return;
    addEventListener("online", this.soon);
    document.addEventListener("visibilitychange", this.soon);
    this.#set("connecting");
    this.#connect();
  }

  close() {
    removeEventListener("online", this.soon);
    document.removeEventListener("visibilitychange", this.soon);
    clearTimeout(this.timer);
    this.#set("closed");
    this.socket?.close(1000);
    this.socket = null;
  }

  /** Ends a connection that no longer answers; the next one follows. */
  restart() {
    const socket = this.socket;
    if (!socket) return;
    this.socket = null;
    socket.close();
    this.#again(null);
  }

  get isOpen() {
    return this.state === "open";
  }

  /** @param {any} content a Blob is sent as it is, anything else as JSON */
  send(content) {
    // A new socket may be on its way while the state is still that of the one before.
    if (!this.isOpen || this.socket?.readyState !== WebSocket.OPEN) return;
    this.socket.send(content instanceof Blob ? content : JSON.stringify(content));
  }

  #connect() {
    const socket = new WebSocket(this.address);
    this.socket = socket;
    let refusal = /** @type {Problem|null} */ (null);
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket) return;
      if (typeof data !== "string") return this.handlers.bytes?.(data);
      const message = JSON.parse(data);
      if (message.type === "hello") {
        // Only now: a server that is full may accept the connection to say so.
        this.wait_ms = FIRST_WAIT_MS;
        this.#set("open");
      } else if (message.type === "problem" && !this.isOpen) {
        refusal = new Problem(message);
      }
      this.handlers.message(message);
    };
    socket.onclose = () => {
      if (socket !== this.socket) return;
      this.socket = null;
      this.#again(refusal);
    };
  }

  /** @param {Problem|null} refusal */
  async #again(refusal) {
    const why = refusal ?? (await whyNot());
    if (this.state === "closed" || this.socket) return;
    const state = why.status === 0 ? "lost" : why.status === 503 ? "busy" : "refused";
    this.#set(state, why);
    const wait_ms = this.wait_ms * (0.75 + Math.random() / 2);
    this.wait_ms = Math.min(this.wait_ms * 2, LONGEST_WAIT_MS);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#connect(), wait_ms);
  }

  #retryNow() {
    if (document.hidden || this.socket || this.state === "closed") return;
    clearTimeout(this.timer);
    this.#connect();
  }

  /**
   * @param {SocketState} state
   * @param {Problem|null} [problem]
   */
  #set(state, problem = null) {
    this.state = state;
    this.handlers.state(state, problem);
  }
}

/**
 * A browser does not say why a WebSocket failed: the API does.
 * @returns {Promise<Problem>} status 0 where nobody answers, 401 where a token is asked for, 503 where
 *   the server is full
 */
async function whyNot() {
  try {
    const health = await ask("health");
    if (health.sessions_max && health.sessions >= health.sessions_max) {
      return new Problem({ status: 503 });
    }
    const info = await ask("info");
    return new Problem({ status: info.sign_in_needed ? 401 : 0 });
  } catch (error) {
    return error instanceof Problem ? error : new Problem({ status: 0 });
  }
}
