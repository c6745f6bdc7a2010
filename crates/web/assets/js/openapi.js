/** Reads an OpenAPI 3.1 document. @module */

const METHODS = ["get", "post", "put", "patch", "delete"];

/**
 * @typedef {{method: string, path: string, about: any}} Endpoint
 */

/**
 * @param {any} document
 * @returns {Endpoint[]}
 */
export function endpoints(document) {
  return Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    METHODS.filter((method) => methods[method]).map((method) => ({ method, path, about: methods[method] })),
  );
}

/**
 * Follows a reference within the document.
 * @param {any} document
 * @param {any} thing
 */
export function follow(document, thing) {
  if (!thing?.$ref) return thing ?? {};
  return thing.$ref.slice(2).split("/").reduce((/** @type {any} */ at, /** @type {string} */ key) => at?.[key], document) ?? {};
}

/** @param {any} schema */
export function nameOf(schema) {
  return schema?.$ref?.split("/").pop() ?? null;
}

/**
 * What a schema is, in few words. Names of shapes come as they are, for the caller to link.
 * @param {any} schema
 * @param {import("./words.js").Words} words
 * @returns {{text: string, name: string|null}}
 */
export function kindOf(schema, words) {
  const name = nameOf(schema);
  if (name) return { text: name, name };
  const variants = schema?.oneOf ?? schema?.anyOf ?? schema?.allOf;
  if (variants) {
    const kinds = variants.filter((/** @type {any} */ v) => v.type !== "null").map((/** @type {any} */ v) => kindOf(v, words));
    return { text: [...new Set(kinds.map((/** @type {any} */ k) => k.text))].join(" | "), name: kinds.length === 1 ? kinds[0].name : null };
  }
  if (schema?.enum) return { text: schema.enum.map((/** @type {any} */ v) => JSON.stringify(v)).join(" | "), name: null };
  if (schema?.const !== undefined) return { text: JSON.stringify(schema.const), name: null };
  const types = [schema?.type ?? "any"].flat().filter((type) => type !== "null");
  if (types[0] === "array") {
    const item = kindOf(schema.items, words);
    return { text: words.say("api.list", { kind: item.text }), name: item.name };
  }
  if (types[0] === "object" && typeof schema.additionalProperties === "object") {
    const value = kindOf(schema.additionalProperties, words);
    return { text: words.say("api.map", { kind: value.text }), name: value.name };
  }
  return { text: types.join(" | "), name: null };
}

/**
 * The properties of a schema; those of its parts too, where it is made of several.
 * @param {any} document
 * @param {any} schema
 * @returns {{name: string, schema: any, required: boolean}[]}
 */
export function properties(document, schema) {
  const whole = follow(document, schema);
  const own = Object.entries(whole.properties ?? {}).map(([name, property]) => ({
    name,
    schema: property,
    required: (whole.required ?? []).includes(name),
  }));
  return [...own, ...(whole.allOf ?? []).flatMap((/** @type {any} */ part) => properties(document, part))];
}
