/** @typedef {Node | string | null | false | undefined} Child */

/**
 * An element. Properties that begin with `on` are listeners, `class` and the others are attributes; text is only ever text.
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
 * An element of the page itself.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`the page has no ${id}`);
  return element;
}

/** Makes these the children, in this order; those that stay are not touched. @param {Element} parent @param {Element[]} wanted */
export function arrange(parent, wanted) {
  const staying = new Set(wanted);
  for (const child of [...parent.children]) if (!staying.has(child)) child.remove();
  let at = parent.firstElementChild;
  for (const node of wanted) {
    if (node === at) at = at.nextElementSibling;
    else parent.insertBefore(node, at);
  }
}

/** A round sign with the first letter of a name. @param {number} userId @param {string} name */
export function avatar(userId, name) {
  const [first = '?'] = name;
  return el('span', { class: `avatar tone-${userId % 8}`, 'aria-hidden': 'true' }, first.toUpperCase());
}

/** @param {boolean} isOnline */
export function dot(isOnline) {
  const says = isOnline ? 'online' : 'offline';
  return el('span', { class: `dot ${says}`, role: 'img', 'aria-label': says, title: says });
}
