/** Takes pictures out of a video, as JPEG. @module */

export class Grabber {
  /**
   * @param {object} options
   * @param {number} options.longestSide_px larger pictures are scaled down
   * @param {number} options.quality of the JPEG, 0 to 1
   */
  constructor({ longestSide_px, quality }) {
    this.longestSide_px = longestSide_px;
    this.quality = quality;
    this.canvas = document.createElement("canvas");
    /** @type {Worker|null} */
    this.worker = null;
  }

  /**
   * The picture that the video shows now. One at a time.
   * @param {HTMLVideoElement} video
   * @returns {Promise<Blob>}
   */
  async grab(video) {
    const { videoWidth, videoHeight } = video;
    const scale = Math.min(1, this.longestSide_px / Math.max(videoWidth, videoHeight));
    const width = Math.max(1, Math.round(videoWidth * scale));
    const height = Math.max(1, Math.round(videoHeight * scale));
    if (typeof OffscreenCanvas === "undefined") return this.#onPage(video, width, height);
    this.worker ??= new Worker("/assets/js/encoder.js", { type: "module" });
    const worker = this.worker;
    const size = scale < 1 ? { resizeWidth: width, resizeHeight: height } : {};
    const bitmap = await createImageBitmap(video, size);
    return new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = () => reject(new Error("the picture could not be encoded"));
      worker.postMessage({ bitmap, quality: this.quality }, [bitmap]);
    });
  }

  close() {
    this.worker?.terminate();
    this.worker = null;
  }

  /**
   * For browsers without OffscreenCanvas.
   * @param {HTMLVideoElement} video
   * @param {number} width
   * @param {number} height
   * @returns {Promise<Blob>}
   */
  #onPage(video, width, height) {
    this.canvas.width = width;
    this.canvas.height = height;
    this.canvas.getContext("2d")?.drawImage(video, 0, 0, width, height);
    return new Promise((resolve, reject) => {
      const done = (/** @type {Blob|null} */ blob) =>
        blob ? resolve(blob) : reject(new Error("the picture could not be encoded"));
      this.canvas.toBlob(done, "image/jpeg", this.quality);
    });
  }
}
