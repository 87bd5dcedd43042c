/** @typedef {Node | string | null | false | undefined} Child */

/**
 * Creates an element. Properties that begin with `on` are listeners, all others are attributes.
 * Text is never parsed as HTML.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number | boolean | null | ((event: any) => void)>} [properties]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== null && value !== false) element.setAttribute(name, String(value));
  }
  for (const child of children) if (child !== null && child !== false && child !== undefined) element.append(child);
  return element;
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

/**
 * Makes `wanted` the children of `parent`, in this order. Children that stay are not moved.
 * @param {Element} parent
 * @param {Element[]} wanted
 */
export function arrange(parent, wanted) {
  const staying = new Set(wanted);
  for (const child of [...parent.children]) if (!staying.has(child)) child.remove();
  let at = parent.firstElementChild;
  for (const node of wanted) {
    if (node === at) at = at.nextElementSibling;
    else parent.insertBefore(node, at);
  }
}

/** A round avatar with the first letter of a name. @param {number} userId @param {string} name */
export function avatar(userId, name) {
  const [first = '?'] = name;
  return el('span', { class: `avatar tone-${userId % 8}`, 'aria-hidden': 'true' }, first.toUpperCase());
}

/** @param {boolean} isOnline */
export function dot(isOnline) {
  const says = isOnline ? 'online' : 'offline';
  return el('span', { class: `dot ${says}`, role: 'img', 'aria-label': says, title: says });
}
