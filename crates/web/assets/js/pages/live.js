/** The live page: this device's camera, and robots where there are any. @module */

import { CameraView } from "../camera-view.js";
import { el } from "../dom.js";
import { legend } from "../legend.js";
import { Palette } from "../palette.js";
import { RobotView } from "../robot-view.js";
import { RobotsFeed } from "../robots-feed.js";
import { addSignOut, leaveForSignIn, loadInfo, ratingOnly, sentence, startPage } from "../shell.js";

const CAMERA = "camera";

const shell = await startPage("live");
const { words } = shell;
const left = /** @type {HTMLElement} */ (document.getElementById("left"));
const right = /** @type {HTMLElement} */ (document.getElementById("right"));
const sources = /** @type {HTMLElement} */ (document.getElementById("sources"));

const info = await loadInfo((problem) => {
  left.replaceChildren(el("p", { class: "waiting", role: "status" }, sentence(words, problem)));
});
addSignOut(shell, info);
const palette = new Palette(info.colors);
const tools = { info, palette, words };

if (info.role === "rating") {
  left.replaceChildren(...ratingOnly(words));
} else {
  showViews();
}

function showViews() {
  /** @type {Map<string, CameraView|RobotView>} */
  const views = new Map([[CAMERA, new CameraView(tools)]]);
  /** @type {Map<string, HTMLElement>} */
  const tabs = new Map();
  const guide = legend(tools);
  let chosen = "";
  let chosenByUser = false;

  const choose = (/** @type {string} */ name) => {
    if (name === chosen) return;
    views.get(chosen)?.leave();
    chosen = name;
    const view = /** @type {CameraView|RobotView} */ (views.get(name));
    left.replaceChildren(...view.left);
    right.replaceChildren(...view.right, guide);
    view.enter();
    for (const [other, tab] of tabs) tab.setAttribute("aria-pressed", String(other === name));
  };

  const addTab = (/** @type {string} */ name, /** @type {string} */ title) => {
    const tab = el("button", {
      type: "button", class: "source", "aria-pressed": "false",
      onclick: () => {
        chosenByUser = true;
        choose(name);
      },
    }, el("span", { class: "dot", "aria-hidden": "true" }), title);
    tabs.set(name, tab);
    sources.append(tab);
    sources.hidden = tabs.size < 2;
    return tab;
  };

  addTab(CAMERA, words.say("camera.this"));
  choose(CAMERA);
  if (!info.robots) return;

  const feed = new RobotsFeed({
    changed(robot) {
      const state = feed.robots.get(robot);
      if (!views.has(robot)) {
        views.set(robot, new RobotView({ robot, feed, ...tools }));
        addTab(robot, robot);
        // Who opens the page beside a robot wants to see the robot.
        if (!chosenByUser && chosen === CAMERA) choose(robot);
      }
      const tab = tabs.get(robot);
      if (tab) tab.dataset.level = state?.level ?? "stale";
      /** @type {RobotView} */ (views.get(robot)).changed();
    },
    event(robot, event) {
      /** @type {RobotView|undefined} */ (views.get(robot))?.event(event);
    },
    async picture(robot, picture) {
      await /** @type {RobotView|undefined} */ (views.get(robot))?.picture(picture);
    },
    connection() {
      if (feed.problem?.status === 401) leaveForSignIn();
      for (const view of views.values()) if (view instanceof RobotView) view.changed();
    },
  });
  feed.open();
}
