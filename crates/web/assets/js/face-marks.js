/** Draws the mark of one face: corners of a box, landmarks, and a label. @module */

/**
 * @typedef {object} Mark
 * @property {number} x left, in CSS pixels
 * @property {number} y
 * @property {number} width
 * @property {number} height
 * @property {number[][]} landmarks
 * @property {string} name short name of the face
 * @property {string} text what it shows
 * @property {{line: string, background: string}} colors
 * @property {number} certainty 0 to 1
 * @property {number} opacity 0 to 1
 * @property {boolean} strong whether it stands out among others
 */

const FAMILY = 'Inter, ui-sans-serif, system-ui, "Segoe UI", Roboto, Arial, sans-serif';
const FONT = `600 13px ${FAMILY}`;
const SMALL_FONT = `600 10px ${FAMILY}`;
/** Boxes narrower than this have a number and no words. */
const SMALL_PX = 44;

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Mark} mark
 */
export function drawBox(context, mark) {
  const { x, y, width, height } = mark;
  const side = Math.min(width, height);
  const radius = Math.min(14, side / 5);
  const arm = Math.max(radius, side * 0.24);
  context.save();
  context.globalAlpha = mark.opacity;
  context.lineCap = "round";
  // Light over dark, so that the corners stand out from any picture.
  const thin = side < SMALL_PX ? 0.6 : 1;
  const strokes = [["rgba(0, 0, 0, 0.45)", 5.5 * thin], ["#fff", 3.5 * thin], [mark.colors.line, 2.25 * thin]];
  for (const [color, thickness] of strokes) {
    context.strokeStyle = /** @type {string} */ (color);
    context.lineWidth = /** @type {number} */ (thickness) * (mark.strong ? 1.4 : 1);
    context.beginPath();
    for (const [cx, cy, dx, dy] of [
      [x, y, 1, 1],
      [x + width, y, -1, 1],
      [x + width, y + height, -1, -1],
      [x, y + height, 1, -1],
    ]) {
      context.moveTo(cx + dx * arm, cy);
      context.arcTo(cx, cy, cx, cy + dy * radius, radius);
      context.lineTo(cx, cy + dy * arm);
    }
    context.stroke();
  }
  context.globalAlpha = mark.opacity * 0.75;
  context.fillStyle = "#fff";
  const dot_px = Math.max(1, Math.min(2, side / 60));
  for (const [px, py] of mark.landmarks) {
    context.beginPath();
    context.arc(px, py, dot_px, 0, 2 * Math.PI);
    context.fill();
  }
  context.restore();
}

/**
 * Draws the label above the box, or below where the picture ends.
 * @param {CanvasRenderingContext2D} context
 * @param {Mark} mark
 * @param {{width: number, height: number}} area in which it must stay
 */
export function drawLabel(context, mark, area) {
  context.save();
  context.textBaseline = "middle";
  // Where faces are small, the number alone says which card is whose, and leaves the face free.
  const small = mark.width < SMALL_PX;
  context.font = small ? SMALL_FONT : FONT;
  const high_px = small ? 15 : 24;
  const margin_px = small ? 5 : 8;
  const text = small ? "" : mark.text;
  const nameWidth = context.measureText(mark.name).width;
  const textWidth = text ? context.measureText(text).width + 8 : 0;
  const width = nameWidth + textWidth + 2 * margin_px;
  const middle = mark.x + mark.width / 2;
  const left = clamp(middle - width / 2, 4, area.width - width - 4);
  const above = mark.y - high_px - (small ? -4 : 8);
  const top = above >= 4 ? above : Math.min(mark.y + mark.height + 8, area.height - high_px - 4);
  const centre = top + high_px / 2 + 0.5;
  // The plate fades with certainty, the words on it do not: they must stay readable.
  context.globalAlpha = mark.opacity * (0.62 + 0.38 * mark.certainty);
  context.fillStyle = mark.colors.background;
  context.beginPath();
  context.roundRect(left, top, width, high_px, high_px / 2);
  context.fill();
  context.globalAlpha = mark.opacity * 0.35;
  context.strokeStyle = "#fff";
  context.lineWidth = 1;
  context.stroke();
  context.fillStyle = "#fff";
  context.globalAlpha = mark.opacity * (text ? 0.8 : 1);
  context.fillText(mark.name, left + margin_px, centre);
  if (text) {
    context.globalAlpha = mark.opacity;
    context.fillText(text, left + 2 * margin_px + nameWidth, centre);
  }
  context.restore();
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
function clamp(value, least, most) {
  return Math.max(least, Math.min(value, most));
}
