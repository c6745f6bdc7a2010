/** Small helpers to make elements. @module */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Sets attributes; a function is a listener (`onclick`), `true` an empty attribute, and `null`,
 * `undefined` and `false` are left out.
 * @param {Element} element
 * @param {Record<string, any>} attributes
 */
function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      element.addEventListener(name.slice(2), value);
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

/**
 * Makes an HTML element. Children that are `null` or `false` are left out; text is never read as HTML.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node|string|number|null|false|undefined)} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  element.append(...children.filter((child) => child != null && child !== false).map(asNode));
  return element;
}

/**
 * Makes an SVG element.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...(Node|string)} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  setAttributes(element, attributes);
  element.append(...children);
  return element;
}

/**
 * A symbol out of icons.svg, for the eye only.
 * @param {string} name
 */
export function icon(name) {
  const use = svg("use", { href: `/assets/icons.svg#${name}` });
  return svg("svg", { class: "icon", "aria-hidden": "true" }, use);
}

/**
 * Changes the text of an element only where it differs, so that nothing is laid out or read out
 * again.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {any} child */
function asNode(child) {
  return child instanceof Node ? child : document.createTextNode(String(child));
}
