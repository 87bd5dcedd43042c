/** @typedef {Node | string | null | false | undefined} Child */
/** @typedef {string | number | boolean | null | ((event: any) => void)} Property */
/** @typedef {Record<string, Property>} Properties */

/**
 * Creates an element. Properties that begin with `on` are listeners, all others are attributes.
 * Text is never parsed as HTML.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Properties} [properties]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  give(element, properties, children);
  return element;
}

/**
 * Creates an element of SVG.
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Properties} [properties]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svg(tag, properties = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  give(element, properties, children);
  return element;
}

/** @param {Element} element @param {Properties} properties @param {Child[]} children */
function give(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== null && value !== false) element.setAttribute(name, String(value));
  }
  for (const child of children) if (child !== null && child !== false && child !== undefined) element.append(child);
}

/**
 * Finds an element of index.html. @throws Error if it is missing or of another type
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`index.html has no ${type.name} with the id ${id}`);
  return element;
}

/** Sets a text, and leaves an equal one alone. @param {Node} node @param {string} text */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

let lastField = 0;

/**
 * A labelled field of a form.
 * @param {string} label
 * @param {HTMLInputElement | HTMLSelectElement} input
 */
export function field(label, input) {
  lastField += 1;
  input.id = `field-${lastField}`;
  return el('p', { class: 'field' }, el('label', { for: input.id }, label), input);
}
