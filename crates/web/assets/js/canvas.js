/** Canvases that are as sharp as the screen. @module */

/**
 * Fits the pixels of a canvas to its size on the page.
 * @param {HTMLCanvasElement} canvas
 * @returns {{context: CanvasRenderingContext2D, width: number, height: number}|null} the size in
 *   CSS pixels, in which the context draws; `null` where the canvas is not shown
 */
export function sharp(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const context = canvas.getContext("2d");
  if (!width || !height || !context) return null;
  const ratio = devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/** Whether the user asked the system for less motion. */
export function calm() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/**
 * A colour of the page's style sheet.
 * @param {Element} element
 * @param {string} name `--ink`
 */
export function styleColor(element, name) {
  return getComputedStyle(element).getPropertyValue(name).trim();
}
