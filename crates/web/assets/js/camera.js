/** The camera of this device. @module */

/**
 * @typedef {"insecure"|"refused"|"none"|"in_use"|"unplugged"} CameraTrouble
 */

/** Why there is no picture. */
export class CameraError extends Error {
  /** @param {CameraTrouble} trouble */
  constructor(trouble) {
    super(trouble);
    this.trouble = trouble;
  }
}

const SIZE = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } };

export class Camera {
  /** @param {(trouble: CameraTrouble) => void} onEnd the camera ended by itself */
  constructor(onEnd) {
    this.onEnd = onEnd;
    /** @type {MediaStream|null} */
    this.stream = null;
    this.opening = 0;
  }

  /**
   * Opens a camera; the one that was open is closed.
   * @param {string} [deviceId] none: the browser chooses, the one that faces the user first
   * @returns {Promise<MediaStream|null>} `null` where it was closed meanwhile
   */
  async open(deviceId) {
    this.close();
    const opening = ++this.opening;
    // Browsers have no cameras for pages of plain HTTP, except for those of this machine.
    if (!isSecureContext || !navigator.mediaDevices) throw new CameraError("insecure");
    const choice = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "user" };
    const stream = await navigator.mediaDevices
      .getUserMedia({ audio: false, video: { ...SIZE, ...choice } })
      .catch((error) => Promise.reject(new CameraError(trouble(error))));
    if (opening !== this.opening) {
      stopAll(stream);
      return null;
    }
    this.stream = stream;
    stream.getVideoTracks()[0].addEventListener("ended", () => {
      if (this.stream !== stream) return;
      this.close();
      this.onEnd("unplugged");
    });
    return stream;
  }

  close() {
    this.opening++;
    if (this.stream) stopAll(this.stream);
    this.stream = null;
  }

  get deviceId() {
    return this.#settings().deviceId ?? "";
  }

  /** Whether it shows its user, who wants a mirror. A webcam does not say, and does. */
  get facesUser() {
    return this.#settings().facingMode !== "environment";
  }

  #settings() {
    return this.stream?.getVideoTracks()[0]?.getSettings() ?? {};
  }
}

/**
 * All cameras. Their names are empty until the user has allowed one.
 * @returns {Promise<{id: string, name: string}[]>}
 */
export async function cameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices
    .filter((device) => device.kind === "videoinput" && device.deviceId)
    .map((device) => ({ id: device.deviceId, name: device.label }));
}

/** @param {MediaStream} stream */
function stopAll(stream) {
  stream.getTracks().forEach((track) => track.stop());
}

/**
 * @param {unknown} error
 * @returns {CameraTrouble}
 */
function trouble(error) {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "refused";
  if (name === "NotReadableError" || name === "AbortError") return "in_use";
  return "none";
}
