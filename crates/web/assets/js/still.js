/** A picture with the faces marked. @module */

import { drawBox, drawLabel } from "./face-marks.js";
import { faceNumber } from "./words.js";

/**
 * Draws a picture and its faces onto a canvas.
 * @param {HTMLCanvasElement} canvas
 * @param {ImageBitmap} bitmap
 * @param {object} options
 * @param {number} options.longestSide_px of the canvas, in CSS pixels; it has twice as many
 * @param {import("./types.js").Person[]} options.faces
 * @param {{width: number, height: number}} options.size of the picture to which the faces refer
 * @param {import("./palette.js").Palette} options.palette
 * @param {import("./words.js").Words} options.words
 */
export function drawStill(canvas, bitmap, { longestSide_px, faces, size, palette, words }) {
  const scale = Math.min(longestSide_px / Math.max(size.width, size.height), 4);
  const [width, height] = [size.width * scale, size.height * scale];
  canvas.width = Math.round(width * 2);
  canvas.height = Math.round(height * 2);
  const context = canvas.getContext("2d");
  if (!context) return;
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  context.setTransform(2, 0, 0, 2, 0, 0);
  const marks = faces.map((face) => ({
    x: face.roi.x * scale,
    y: face.roi.y * scale,
    width: face.roi.width * scale,
    height: face.roi.height * scale,
    landmarks: [],
    name: faceNumber(face.face_id),
    text: face.sure ? `${words.shown(face)} ${words.percent(face.confidence)}` : words.shown(face),
    colors: palette.of(face),
    certainty: face.sure ? face.confidence : 1,
    opacity: 1,
    strong: false,
  }));
  marks.forEach((mark) => drawBox(context, mark));
  marks.forEach((mark) => drawLabel(context, mark, { width, height }));
}
