/** Steps through a video file by seeking, so that the same file always gives the same pictures. @module */

const LONGEST_WAIT_MS = 2000;

/** The file is no video that this browser plays. */
export class NotPlayable extends Error {}

/**
 * Loads a file into a video element.
 * @param {HTMLVideoElement} video
 * @param {string} address
 * @returns {Promise<number>} its length in seconds
 */
export async function load(video, address) {
  await once(video, "loadeddata", () => {
    video.preload = "auto";
    video.src = address;
  });
  if (Number.isFinite(video.duration)) return video.duration;
  // What browsers record does not say how long it is, until somebody seeks behind its end.
  await once(video, "seeked", () => {
    video.currentTime = 1e9;
  });
  return Number.isFinite(video.duration) ? video.duration : video.currentTime;
}

/**
 * Shows the picture of a moment.
 * @param {HTMLVideoElement} video
 * @param {number} time_secs
 */
export async function seek(video, time_secs) {
  const shown = presented(video);
  await once(video, "seeked", () => {
    video.currentTime = time_secs;
  });
  await shown;
}

/**
 * Waits until a new picture is on the screen. At `seeked` the one before may still be there, now and
 * then, and would be taken for the new one.
 * @param {HTMLVideoElement} video
 */
function presented(video) {
  // Nothing is presented by a hidden page.
  if (!video.requestVideoFrameCallback || document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LONGEST_WAIT_MS);
    video.requestVideoFrameCallback(() => (clearTimeout(timer), resolve(undefined)));
  });
}

/**
 * Where the pictures of a video are taken: the same for the same length and rate.
 * @param {number} length_secs
 * @param {number} rate pictures a second
 * @returns {number[]} seconds
 */
export function moments(length_secs, rate) {
  const count = Math.max(1, Math.ceil(length_secs * rate - 1e-6));
  return Array.from({ length: count }, (_, i) => i / rate);
}

/**
 * @param {HTMLVideoElement} video
 * @param {string} event
 * @param {() => void} begin
 * @returns {Promise<void>}
 */
function once(video, event, begin) {
  return new Promise((resolve, reject) => {
    const end = new AbortController();
    const { signal } = end;
    video.addEventListener(event, () => (end.abort(), resolve()), { signal });
    video.addEventListener("error", () => (end.abort(), reject(new NotPlayable())), { signal });
    begin();
  });
}
