/** Has the server look at files, one after the other. @module */

import { PictureCard, VideoCard } from "./file-card.js";
import { Grabber } from "./grabber.js";
import { LiveSession } from "./live-session.js";
import { ask } from "./server.js";
import { load, moments, seek } from "./video-steps.js";

const LONGEST_SIDE_PX = 1280;
const JPEG_QUALITY = 0.92;
/** Just behind the border between two pictures, so that rounding never shows the one before. */
const BEHIND_SECS = 0.001;

/**
 * @param {PictureCard} card
 * @param {AbortSignal} signal
 * @returns {Promise<import("./results.js").Result>}
 */
export async function analysePicture(card, signal) {
  const { file } = card;
  const headers = { "content-type": file.type || "application/octet-stream" };
  const [report] = await ask("analyze", { method: "POST", body: file, headers, signal });
  const named = { ...report, picture: file.name };
  await card.show(named);
  return { name: file.name, report: named };
}

/**
 * @param {VideoCard} card
 * @param {string} name
 * @param {number} rate pictures a second
 * @param {AbortSignal} signal
 * @param {(share: number) => void} progress
 * @returns {Promise<import("./results.js").Result>} what was found until it was cancelled
 */
export async function analyseVideo(card, name, rate, signal, progress) {
  const length_secs = await load(card.video, card.address);
  card.begin(length_secs, rate);
  const grabber = new Grabber({ longestSide_px: LONGEST_SIDE_PX, quality: JPEG_QUALITY });
  const session = new LiveSession();
  signal.addEventListener("abort", () => session.close());
  try {
    await session.ready();
    session.reset();
    const times = moments(length_secs, rate);
    for (const [i, time_secs] of times.entries()) {
      if (signal.aborted) break;
      await seek(card.video, Math.min(time_secs + BEHIND_SECS, length_secs));
      const observation = await session.process(await grabber.grab(card.video), time_secs);
      // As asked: the server's clock may know it only to the nanosecond.
      card.add({ ...observation, time_secs });
      progress((i + 1) / times.length);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    session.close();
    grabber.close();
    card.end();
  }
  return { name, pictures_per_sec: rate, observations: card.observations };
}
