type Listener = (event: never) => unknown;
type Props = Readonly<Record<string, string | number | boolean | null | undefined | Listener>>;
export type Child = Node | string | null | undefined;

/**
 * Makes an element. Properties are attributes; those with a function, such as `onclick`, are
 * listeners. `null`, `undefined` and `false` leave an attribute out.
 */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') made.addEventListener(name.slice(2), value as EventListener);
    else attribute(made, name, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

/** Sets an attribute, or removes it. Leaves the element alone where nothing changes. */
export function attribute(element: Element, name: string, value: string | number | boolean | null | undefined): void {
  const text = value === true ? '' : value == null || value === false ? null : String(value);
  if (element.getAttribute(name) === text) return;
  if (text === null) element.removeAttribute(name);
  else element.setAttribute(name, text);
}

/** Sets the text of an element, where it is another one. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export interface View<T> {
  readonly node: HTMLElement;
  update(item: T): void;
}

/**
 * The children of an element, one for each item. Elements stay as long as their keys do, and an
 * item that is the same object as before is not updated.
 */
export class KeyedList<T> {
  readonly container: HTMLElement;
  readonly #keyOf: (item: T) => string;
  readonly #make: (item: T) => View<T>;
  readonly #shown = new Map<string, { item: T; readonly view: View<T> }>();

  constructor(container: HTMLElement, keyOf: (item: T) => string, make: (item: T) => View<T>) {
    this.container = container;
    this.#keyOf = keyOf;
    this.#make = make;
  }

  get(key: string): View<T> | undefined {
    return this.#shown.get(key)?.view;
  }

  show(items: readonly T[]): void {
    const keys = new Set(items.map(this.#keyOf));
    for (const [key, { view }] of this.#shown) {
      if (keys.has(key)) continue;
      view.node.remove();
      this.#shown.delete(key);
    }
    let next = this.container.firstElementChild;
    for (const item of items) {
      const node = this.#shownAs(item);
      if (node === next) next = next.nextElementSibling;
      else this.container.insertBefore(node, next);
    }
  }

  #shownAs(item: T): HTMLElement {
    const key = this.#keyOf(item);
    const known = this.#shown.get(key);
    if (known === undefined) {
      const view = this.#make(item);
      this.#shown.set(key, { item, view });
      // One entry that cannot be shown must not take the others with it.
      try {
        view.update(item);
      } catch (error) {
        reportError(error);
      }
      return view.node;
    }
    if (known.item !== item) {
      known.item = item;
      known.view.update(item);
    }
    return known.view.node;
  }
}
