/** One connection to `live`, used as question and answer: for videos. @module */

import { Problem, socketAddress } from "./server.js";

export class LiveSession {
  constructor() {
    this.socket = new WebSocket(socketAddress("live"));
    /** @type {{resolve: (answer: any) => void, reject: (error: unknown) => void}|null} */
    this.waiting = null;
    this.socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    this.socket.onclose = () => this.#settle(new Problem({ status: 0 }));
  }

  /** Waits until pictures may be sent. */
  ready() {
    return this.#answer();
  }

  /**
   * @param {Blob} picture
   * @param {number} time_secs on the video's clock
   * @returns {Promise<import("./types.js").Observation>}
   */
  process(picture, time_secs) {
    const answer = this.#answer();
    this.socket.send(JSON.stringify({ type: "picture", time_secs }));
    this.socket.send(picture);
    return answer;
  }

  /** Forgets who was seen. */
  reset() {
    this.socket.send(JSON.stringify({ type: "reset" }));
  }

  close() {
    this.socket.onclose = null;
    this.socket.close(1000);
    this.#settle(new DOMException("closed", "AbortError"));
  }

  #answer() {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      if (this.socket.readyState > WebSocket.OPEN) this.#settle(new Problem({ status: 0 }));
    });
  }

  /** @param {any} message */
  #hear(message) {
    if (message.paused) this.#settle(new Problem({ status: 503, problem: "/api#paused" }));
    else if (message.type === "problem") this.#settle(new Problem(message));
    else if (message.type === "hello" || message.type === "observation") this.#settle(message);
  }

  /** @param {any} answer an Error is thrown where it is awaited */
  #settle(answer) {
    const waiting = this.waiting;
    this.waiting = null;
    if (answer instanceof Error) waiting?.reject(answer);
    else waiting?.resolve(answer);
  }
}
