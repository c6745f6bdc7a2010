/** Requests to the API, with errors as the problem documents that it sends. @module */

/** What the server sends where a request failed (RFC 9457). */
export class Problem extends Error {
  /** @param {Record<string, any>} document */
  constructor(document) {
    super(document.detail || document.title || `HTTP ${document.status}`);
    this.name = "Problem";
    /** @type {number} 0 where no server answered */
    this.status = document.status ?? 0;
    this.document = document;
  }
}

/**
 * @param {string} path below /api/v1/
 * @param {RequestInit} [options]
 * @returns {Promise<any>} the JSON of the answer, or `null` where it has none
 */
export async function ask(path, options = {}) {
  let response, content;
  try {
    response = await fetch(`/api/v1/${path}`, { cache: "no-store", ...options });
    // A connection may also break in the middle of an answer.
    const isJson = /[/+]json/.test(response.headers.get("content-type") ?? "");
    content = isJson ? await response.json() : null;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem({ status: 0, title: "no answer" });
  }
  if (!response.ok) throw new Problem({ status: response.status, ...content });
  return content;
}

/**
 * @param {string} path below /api/v1/
 * @param {any} content sent as JSON
 */
export function post(path, content) {
  return ask(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(content),
  });
}

/**
 * The address of a WebSocket of the API.
 * @param {string} name `live` or `watch`
 */
export function socketAddress(name) {
  const address = new URL(`/api/v1/${name}`, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return address.href;
}

/**
 * Where a page goes that needs a token first.
 */
export function signInAddress() {
  return `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
}
