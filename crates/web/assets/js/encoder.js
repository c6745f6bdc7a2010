/**
 * Turns pictures into JPEG. In a worker: browsers encode a canvas of the page only when they are
 * idle, which makes the time of it long and irregular.
 * @module
 */

/** @type {OffscreenCanvas|null} */
let canvas = null;

onmessage = async ({ data: { bitmap, quality } }) => {
  const { width, height } = bitmap;
  if (!canvas || canvas.width !== width || canvas.height !== height) {
    canvas = new OffscreenCanvas(width, height);
  }
  canvas.getContext("2d", { alpha: false }).drawImage(bitmap, 0, 0);
  bitmap.close();
  postMessage(await canvas.convertToBlob({ type: "image/jpeg", quality }));
};
