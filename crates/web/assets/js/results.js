/** What was found in files, and how it is written down. @module */

/**
 * @typedef {object} Result of one file
 * @property {string} name
 * @property {any} [report] of a picture, as the API gives it
 * @property {number} [pictures_per_sec] of a video
 * @property {import("./types.js").Observation[]} [observations] of a video
 *
 * @typedef {object} Row one face in one picture
 * @property {string} picture
 * @property {number|null} time_secs
 * @property {import("./types.js").Person} face
 */

/**
 * @param {Result[]} results
 * @returns {Generator<Row>}
 */
export function* rows(results) {
  for (const { name, report, observations } of results) {
    for (const face of report?.faces ?? []) yield { picture: name, time_secs: null, face };
    for (const { time_secs, people } of observations ?? []) {
      for (const face of people) yield { picture: name, time_secs, face };
    }
  }
}

/**
 * @param {Result[]} results
 * @returns {string}
 */
export function toJson(results) {
  const pictures = results.filter(({ report }) => report).map(({ report }) => report);
  const videos = results
    .filter(({ observations }) => observations)
    .map(({ name, pictures_per_sec, observations }) => ({
      video: name,
      pictures_per_sec,
      // How long it took differs from run to run, and says nothing about the video.
      observations: (observations ?? []).map(({ timings_ms, ...rest }) => rest),
    }));
  return `${JSON.stringify({ pictures, videos }, null, 2)}\n`;
}

/**
 * @param {Result[]} results
 * @param {string[]} labels each has a column for its probability
 * @returns {string}
 */
export function toCsv(results, labels) {
  const head = [
    "picture", "time_secs", "face_id", "label", "confidence", "sure", "valence", "arousal",
    "x", "y", "width", "height", "detection_confidence", ...labels.map((label) => `p_${label}`),
  ];
  const lines = [head.join(",")];
  for (const { picture, time_secs, face } of rows(results)) {
    const { roi } = face;
    const values = [
      picture, time_secs, face.face_id, face.label, face.confidence, face.sure, face.valence, face.arousal,
      roi.x, roi.y, roi.width, roi.height, face.detection_confidence,
      ...labels.map((label) => face.probabilities[label]),
    ];
    lines.push(values.map(cell).join(","));
  }
  return `${lines.join("\r\n")}\r\n`;
}

/**
 * One cell of a CSV file (RFC 4180).
 * @param {unknown} value
 */
function cell(value) {
  if (value === null || value === undefined) return "";
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Has the browser save a file.
 * @param {string} name
 * @param {string} content
 * @param {string} type
 */
export function save(name, content, type) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
