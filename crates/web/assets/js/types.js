/**
 * The shapes that the modules share; they follow the API.
 *
 * @typedef {object} Person
 * @property {string} face_id
 * @property {{x: number, y: number, width: number, height: number}} roi pixels of the picture
 * @property {any[]} landmarks
 * @property {string} label
 * @property {number} confidence 0 to 1
 * @property {boolean} sure
 * @property {Record<string, number>} probabilities
 * @property {number} valence -1 to 1
 * @property {number} arousal -1 to 1
 * @property {{distance_m: number, distance_std_m: number}} [pose] where the head is
 * @property {"disengaged"|"engaging"|"engaged"|"disengaging"} [engagement] whether the person attends
 * @property {number} [first_seen_secs]
 * @property {number} [detection_confidence]
 *
 * @typedef {object} Observation
 * @property {number} number
 * @property {number} time_secs
 * @property {number} width
 * @property {number} height
 * @property {Person[]} people
 * @property {Record<string, number>} timings_ms
 *
 * @typedef {Record<string, {line: string, background: string}>} Colors of labels
 *
 * @typedef {object} Info
 * @property {string} version
 * @property {{name: string, sha256: string}} model
 * @property {string[]} labels
 * @property {Colors} colors
 * @property {"operator"|"viewer"|"rating"|null} role
 * @property {boolean} sign_in_needed no token was sent
 * @property {boolean} signed_in with a token
 * @property {boolean} blur_faces
 * @property {boolean} numbers_only
 * @property {boolean} paused
 * @property {boolean} robots
 * @property {boolean} journal
 * @property {{picture_bytes: number, picture_pixels: number, pictures_per_request: number, live_sessions: number}} limits
 * @property {{keep_days: number, pictures_per_minute: number, longest_minutes: number}|null} feedback
 * @property {Record<string, string|null>} notice
 *
 * @module
 */

export {};
