/** The page that shows the API's own description. @module */

import { el } from "../dom.js";
import { endpoints, follow, kindOf, nameOf, properties } from "../openapi.js";
import { Problem, ask } from "../server.js";
import { leaveForSignIn, sentence, startPage } from "../shell.js";

const { words } = await startPage("api");
const content = /** @type {HTMLElement} */ (document.getElementById("content"));
const index = /** @type {HTMLElement} */ (document.getElementById("index"));

try {
  show(await ask("openapi.json"));
} catch (error) {
  if (error instanceof Problem && error.status === 401) leaveForSignIn();
  const text = error instanceof Problem ? sentence(words, error) : words.say("api.failed");
  content.replaceChildren(el("p", { class: "waiting", role: "status" }, text));
}

/** @param {any} document_ of OpenAPI */
function show(document_) {
  const all = endpoints(document_);
  const shapes = Object.entries(document_.components?.schemas ?? {});
  index.replaceChildren(
    el("h2", {}, words.say("api.endpoints")),
    el("ul", {}, ...all.map((endpoint) =>
      el("li", {}, el("a", { href: `#${anchor(endpoint)}` }, method(endpoint.method), el("span", {}, short(endpoint.path)))))),
    shapes.length ? el("h2", {}, words.say("api.schemas")) : "",
    el("ul", {}, ...shapes.map(([name]) => el("li", {}, el("a", { href: `#shape-${name}` }, name)))),
  );
  content.replaceChildren(
    el("p", { class: "api-document" }, el("a", { href: "/api/v1/openapi.json" }, words.say("api.document")),
      ` (OpenAPI ${document_.openapi}, ${document_.info?.title ?? "Rapport"} ${document_.info?.version ?? ""})`),
    ...all.map((endpoint) => showEndpoint(document_, endpoint)),
    ...showProblems(document_["x-problems"] ?? []),
    shapes.length ? el("h2", { class: "api-part" }, words.say("api.schemas")) : "",
    ...shapes.map(([name, schema]) => showShape(document_, name, schema)),
  );
  // The browser looked for it before it was there.
  if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

/**
 * The kinds of problems, each at the place that its `type` names.
 * @param {{type: string, title: string, status: number, description?: string}[]} problems
 */
function showProblems(problems) {
  if (!problems.length) return [];
  return [
    el("h2", { class: "api-part" }, words.say("api.problems")),
    el("section", { class: "panel endpoint" }, el("dl", { class: "fields" }, ...problems.flatMap(({ type, title, status, description }) => [
      el("dt", { id: type.split("#")[1] }, el("code", {}, type.split("#")[1])),
      el("dd", {}, `${status} ${title}`, description ? el("p", {}, description) : null),
    ]))),
  ];
}

/**
 * @param {any} document_
 * @param {import("../openapi.js").Endpoint} endpoint
 */
function showEndpoint(document_, { method: name, path, about }) {
  const parameters = (about.parameters ?? []).map((/** @type {any} */ p) => follow(document_, p));
  const body = follow(document_, about.requestBody);
  const title = anchor({ method: name, path, about });
  return el("section", { class: "panel endpoint", id: title, "aria-labelledby": `${title}-title` },
    el("h2", { class: "endpoint-title", id: `${title}-title` }, method(name), el("code", {}, path)),
    about.deprecated ? el("p", { class: "muted" }, words.say("api.deprecated")) : null,
    ...prose([about.summary, about.description].filter(Boolean).join("\n\n")),
    parameters.length ? el("h3", {}, words.say("api.parameters")) : null,
    parameters.length ? fields(document_, parameters.map((/** @type {any} */ p) => ({ ...p, name: p.name, schema: { ...p.schema, description: p.description ?? p.schema?.description } }))) : null,
    about.requestBody ? el("h3", {}, words.say("api.body")) : null,
    ...(about.requestBody ? [...prose(body.description ?? ""), contents(body.content)] : []),
    el("h3", {}, words.say("api.answers")),
    el("dl", { class: "answers" }, ...Object.entries(about.responses ?? {}).flatMap(([status, response]) => {
      const answer = follow(document_, response);
      return [el("dt", {}, el("code", { class: status < "4" ? "fine" : "" }, status)),
        el("dd", {}, ...prose(answer.description ?? ""), answer.content ? contents(answer.content) : null)];
    })),
  );
}

/**
 * @param {any} document_
 * @param {string} name
 * @param {any} schema
 */
function showShape(document_, name, schema) {
  const list = properties(document_, schema);
  const variants = schema.oneOf ?? schema.anyOf ?? [];
  return el("section", { class: "panel endpoint", id: `shape-${name}`, "aria-labelledby": `shape-${name}-title` },
    el("h3", { class: "endpoint-title", id: `shape-${name}-title` }, el("code", {}, name)),
    ...prose(schema.description ?? ""),
    list.length || variants.length ? null : el("p", {}, kind(schema)),
    list.length ? fields(document_, list) : null,
    ...variants.map((/** @type {any} */ variant) => el("div", { class: "variant" },
      ...prose(variant.description ?? ""),
      nameOf(variant) ? el("p", {}, kind(variant)) : fields(document_, properties(document_, variant)))));
}

/**
 * @param {any} document_
 * @param {{name: string, schema: any, required?: boolean}[]} list
 */
function fields(document_, list) {
  return el("dl", { class: "fields" }, ...list.flatMap(({ name, schema, required }) => [
    el("dt", {}, el("code", {}, name), required ? el("span", { class: "required" }, words.say("api.required")) : null),
    el("dd", {}, kind(schema), ...prose(schema.description ?? (schema.$ref ? "" : follow(document_, schema).description ?? ""))),
  ]));
}

/** @param {any} content of a body or an answer, by media type */
function contents(content) {
  return el("ul", { class: "contents" }, ...Object.entries(content ?? {}).map(([type, { schema }]) =>
    // Of a picture there is no more to say than its type.
    el("li", {}, el("code", {}, type), " ", type.startsWith("image/") ? null : kind(schema))));
}

/** @param {any} schema */
function kind(schema) {
  const { text, name } = kindOf(schema, words);
  return name ? el("a", { class: "kind", href: `#shape-${name}` }, text) : el("span", { class: "kind" }, text);
}

/** @param {string} name */
function method(name) {
  return el("span", { class: `method ${name}` }, name.toUpperCase());
}

/** @param {import("../openapi.js").Endpoint} endpoint */
function anchor({ method: name, path }) {
  return `${name}${path.replace(/[^a-zA-Z0-9]+/g, "-")}`;
}

/** @param {string} path */
function short(path) {
  return path.replace(/^\/api\/v1/, "") || path;
}

/**
 * Paragraphs, blocks of code and `code` of a description.
 * @param {string} text
 * @returns {HTMLElement[]}
 */
function prose(text) {
  return text.split(/(```[\s\S]*?```)/).flatMap((part) => {
    if (part.startsWith("```")) {
      return [el("pre", { tabindex: 0 }, el("code", {}, part.replace(/^```.*\n?/, "").replace(/\n?```$/, "")))];
    }
    return part.split(/\n\s*\n/).filter((p) => p.trim()).map((paragraph) =>
      el("p", {}, ...paragraph.split(/(`[^`]+`)/).map((piece) => (piece.startsWith("`") ? el("code", {}, piece.slice(1, -1)) : piece))));
  });
}
