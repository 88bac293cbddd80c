// What a page says by attributes, and how it is filled. Text is text: HTML comes in only where it was marked safe.

/** @import { Json } from "./types.js" */

const SHOW = "data-segue-show";
const HIDE = "data-segue-hide";
const FIELD = "data-segue-field";
const ATTRIBUTE = "data-segue-attr";
const DONE = "data-segue-done";
/** Attributes that run nothing and load nothing, and two whose addresses are looked at. */
const HARMLESS = /^(data-(?!segue-)[\w-]+|data-segue-(track|prop-[\w-]+)|aria-[\w-]+|alt|title|value|href|src)$/;
const ADDRESSES = /^(https?|mailto|tel):$/;

/** @param {Element} element @param {string} name @returns {string[]} */
export const wordsOf = (element, name) => (element.getAttribute(name) || "").split(/[\s,]+/).filter(Boolean);

/** It need not be kept from sight any more. @param {Element} element */
export const done = (element) => element.hasAttribute(DONE) || element.setAttribute(DONE, "");

/** @param {ParentNode} root @param {(segment: string) => boolean} has */
export function sort(root, has) {
  for (const element of root.querySelectorAll(`[${SHOW}],[${HIDE}]`)) {
    const wanted = !element.hasAttribute(SHOW) || wordsOf(element, SHOW).some(has);
    const hidden = !wanted || wordsOf(element, HIDE).some(has);
    if (element instanceof HTMLElement && element.hidden != hidden) element.hidden = hidden;
    done(element);
  }
}

/** @param {any} data @param {string} path @returns {any} what lies under `a.b`; only what the data itself holds */
const at = (data, path) =>
  path.split(".").reduce((value, key) => (value != null && Object.hasOwn(Object(value), key) ? value[key] : undefined), data);

/** @param {any} value @returns {boolean} */
const plain = (value) => ["string", "number", "boolean"].includes(typeof value);

/** @param {Json} payload @returns {Node[] | undefined} what stands for it; undefined when that is for a template to say */
function contentOf(payload) {
  if (plain(payload)) return [new Text("" + payload)];
  const { html, safe, text } = /** @type {any} */ (payload) || {};
  if (plain(html) && safe === true) {
    const parsed = document.createElement("template");
    parsed.innerHTML = html;
    return [...parsed.content.childNodes];
  }
  const words = text ?? html;
  return plain(words) ? [new Text(words)] : undefined;
}

/** @param {string} value @returns {boolean} whether a browser may follow it: no script, no data */
function followed(value) {
  try {
    return ADDRESSES.test(new URL(value, location.href).protocol);
  } catch {
    return false;
  }
}

/** @param {Element} root @param {Json} data */
function fillIn(root, data) {
  for (const element of [root, ...root.querySelectorAll(`[${FIELD}],[${ATTRIBUTE}]`)]) {
    const field = element.getAttribute(FIELD);
    if (field != null) {
      const content = contentOf(field ? at(data, field) : data);
      if (content) element.replaceChildren(...content);
      else element.toggleAttribute("hidden", true);
    }
    for (const pair of wordsOf(element, ATTRIBUTE)) {
      const [, name, path] = pair.match(/^([^:]+):(.+)$/) || [];
      const value = path && at(data, path);
      if (!plain(value) || !HARMLESS.test(name)) continue;
      if (!/^(href|src)$/.test(name) || followed("" + value)) element.setAttribute(name, "" + value);
    }
  }
}

/** @type {WeakMap<Element, Node[]>} what the page itself had there */
const own = new WeakMap();

/**
 * Fills an element: from its template, where there is one and something to put into it, else with the payload
 * itself. Nothing to fill it with brings back what the page had there.
 * @param {Element} element @param {Json[]} rows one for each copy of the template
 */
export function fill(element, rows) {
  const template = [...element.children].find((child) => child instanceof HTMLTemplateElement);
  if (!own.has(element)) own.set(element, [...element.childNodes].filter((node) => node != template));
  const nodes = rows.flatMap((data) => {
    if (!template || plain(data)) return contentOf(data) || [];
    const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    for (const each of copy.children) fillIn(each, data);
    return [...copy.childNodes];
  });
  element.replaceChildren(...(template ? [template] : []), ...(nodes.length ? nodes : own.get(element) || []));
}
