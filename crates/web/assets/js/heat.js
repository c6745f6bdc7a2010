/** Draws which parts of a face spoke for an expression. @module */

/** From dark to bright: each step is seen as equally far, also without colour vision. */
const HEAT = ["#000004", "#1b0c41", "#4a0c6b", "#781c6d", "#a52c60", "#cf4446", "#ed6925", "#fb9b06", "#f7d13d", "#fcffa4"]
  .map((hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
const MOST_OPAQUE = 0.74;

/**
 * @typedef {object} Heat
 * @property {{a: number, b: number, tx: number, ty: number}} crop_to_image x' = a x - b y + tx, y' = b x + a y + ty
 * @property {number} crop_side_px
 * @property {number} rows
 * @property {number} columns
 * @property {Record<string, number[]>} maps row by row, for each label
 */

/**
 * Draws the part of a picture that the network saw, and heat over it.
 * @param {HTMLCanvasElement} canvas square
 * @param {ImageBitmap} bitmap the picture
 * @param {Heat} heat
 * @param {string} label
 * @returns {boolean} whether anything spoke for the label
 */
export function drawHeat(canvas, bitmap, heat, label) {
  const side = canvas.width;
  const context = canvas.getContext("2d");
  if (!context) return false;
  const scale = side / heat.crop_side_px;
  const { a, b, tx, ty } = heat.crop_to_image;
  const size = a * a + b * b;
  // The inverse: from the picture to the crop.
  const [ia, ib] = [a / size, -b / size];
  const [ix, iy] = [-(ia * tx - ib * ty), -(ib * tx + ia * ty)];
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = "#808080";
  context.fillRect(0, 0, side, side);
  context.imageSmoothingQuality = "high";
  context.setTransform(ia * scale, ib * scale, -ib * scale, ia * scale, ix * scale, iy * scale);
  context.drawImage(bitmap, 0, 0);
  context.setTransform(1, 0, 0, 1, 0, 0);
  const map = heat.maps[label] ?? [];
  const most = Math.max(0, ...map);
  if (most <= 0) return false;
  const picture = context.getImageData(0, 0, side, side);
  const { data } = picture;
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const share = valueAt(map, heat, (x + 0.5) / side, (y + 0.5) / side) / most;
      if (share <= 0) continue;
      const color = colorOf(share);
      const opacity = MOST_OPAQUE * Math.min(1, share);
      const i = (y * side + x) * 4;
      for (let c = 0; c < 3; c++) data[i + c] += opacity * (color[c] - data[i + c]);
    }
  }
  context.putImageData(picture, 0, 0);
  return true;
}

/**
 * The map between the centres of its cells; the outermost cells go on to the edge.
 * @param {number[]} map
 * @param {{rows: number, columns: number}} shape
 * @param {number} x 0 to 1
 * @param {number} y 0 to 1
 */
function valueAt(map, { rows, columns }, x, y) {
  const [left, right, across] = cells(x, columns);
  const [top, bottom, down] = cells(y, rows);
  const mix = (/** @type {number} */ from, /** @type {number} */ to, /** @type {number} */ share) => from + share * (to - from);
  const upper = mix(map[top * columns + left], map[top * columns + right], across);
  const lower = mix(map[bottom * columns + left], map[bottom * columns + right], across);
  return mix(upper, lower, down);
}

/**
 * @param {number} position 0 to 1
 * @param {number} count
 * @returns {[number, number, number]} two neighbours, and how far it is from the first to the second
 */
function cells(position, count) {
  const at = Math.max(0, Math.min(count - 1, position * count - 0.5));
  const first = Math.floor(at);
  return [first, Math.min(first + 1, count - 1), at - first];
}

/** @param {number} share 0 to 1 */
function colorOf(share) {
  const at = Math.min(1, share) * (HEAT.length - 1);
  const first = Math.floor(at);
  const [from, to] = [HEAT[first], HEAT[Math.min(first + 1, HEAT.length - 1)]];
  return from.map((value, c) => value + (at - first) * (to[c] - value));
}
