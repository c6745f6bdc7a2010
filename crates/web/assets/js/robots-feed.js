/** The one connection over which a page hears of all robots. @module */

import { socketAddress } from "./server.js";
import { Reconnecting } from "./socket.js";

export class RobotsFeed {
  /**
   * @param {object} handlers
   * @param {(robot: string) => void} handlers.changed a robot's state changed, or it is new
   * @param {(robot: string, event: any) => void} handlers.event emotions and responses
   * @param {(robot: string, picture: Blob, about: any) => Promise<void>} handlers.picture
   * @param {() => void} handlers.connection
   */
  constructor(handlers) {
    this.handlers = handlers;
    /** @type {Map<string, any>} the newest state of each robot */
    this.robots = new Map();
    /** @type {import("./server.js").Problem|null} */
    this.problem = null;
    /** @type {any} what the next binary message is */
    this.about = null;
    /** @type {string|null} */
    this.looking = null;
    this.socket = new Reconnecting(socketAddress("watch"), {
      message: (message) => this.#hear(message),
      bytes: (bytes) => this.#picture(bytes),
      state: (_, problem) => {
        this.problem = problem;
        handlers.connection();
      },
    });
    document.addEventListener("visibilitychange", () => this.#look());
  }

  open() {
    this.socket.open();
  }

  get state() {
    return this.socket.state;
  }

  /** @param {string|null} robot whose pictures are wanted; one at a time */
  look(robot) {
    if (this.looking && this.looking !== robot) {
      this.socket.send({ type: "look", robot: this.looking, pictures: false });
    }
    this.looking = robot;
    this.#look();
  }

  #look() {
    if (!this.looking) return;
    // A hidden page sees nothing.
    const pictures = !document.hidden;
    this.socket.send({ type: "look", robot: this.looking, pictures });
    if (pictures) this.socket.send({ type: "ready" });
  }

  /** @param {any} message */
  #hear(message) {
    if (message.type === "hello") {
      const before = [...this.robots.keys()];
      this.robots.clear();
      for (const { robot, state } of message.robots) this.#state(robot, state);
      for (const robot of before) if (!this.robots.has(robot)) this.handlers.changed(robot);
      this.#look();
    } else if (message.type === "robot") {
      this.#state(message.robot, message.state);
    } else if (message.type === "gone") {
      this.robots.delete(message.robot);
      this.handlers.changed(message.robot);
    } else if (message.type === "picture") {
      this.about = message;
    } else if (message.robot) {
      this.handlers.event(message.robot, message);
    }
  }

  /**
   * @param {string} robot
   * @param {any} state
   */
  #state(robot, state) {
    this.robots.set(robot, state);
    this.handlers.changed(robot);
  }

  /** @param {Blob} bytes */
  async #picture(bytes) {
    const about = this.about;
    this.about = null;
    if (about && about.robot === this.looking && !document.hidden) {
      await this.handlers.picture(about.robot, bytes, about).catch(() => {});
    }
    // The next one only when this one is drawn: so a slow page gets fewer, and always new ones.
    if (this.looking && !document.hidden) this.socket.send({ type: "ready" });
  }
}
