/** Nearer than this, in pixels, the reader is at the end. */
const NEAR_END = 24;
/** Elements whose places are remembered: the first one may be gone after a change. */
const MAX_ANCHORS = 8;

interface Anchor {
  readonly node: Element;
  readonly top: number;
}

/**
 * Keeps the reader's place in a list: at the end while the reader is there, otherwise at the
 * messages that are being read, whatever comes, goes or grows. Only the reader's own scrolling
 * leaves the end.
 */
export class Scroller {
  readonly #box: HTMLElement;
  readonly #list: HTMLElement;
  readonly #observer: ResizeObserver;
  readonly #moved: () => void;
  readonly #isRealEnd: () => boolean;
  #isAtEnd = true;
  #anchors: readonly Anchor[] = [];
  #height = 0;
  #full = 0;

  /**
   * @param moved called when the reader has scrolled
   * @param isRealEnd false: newer messages exist that are not in the list, so its end is no place
   * to stay at
   */
  constructor(box: HTMLElement, list: HTMLElement, moved: () => void, isRealEnd: () => boolean) {
    this.#box = box;
    this.#list = list;
    this.#moved = moved;
    this.#isRealEnd = isRealEnd;
    this.#observer = new ResizeObserver(() => this.settle());
    this.#observer.observe(box);
    this.#observer.observe(list);
    box.addEventListener('scroll', () => this.#scrolled(), { passive: true });
  }

  get isAtEnd(): boolean {
    return this.#isAtEnd;
  }

  /** Changes the list, and keeps the reader's place. */
  change(work: () => void): void {
    if (!this.#isAtEnd) this.#note();
    work();
    this.settle();
    // The last messages came to a reader who waited for them at the end of the list.
    if (!this.#isAtEnd && this.#isRealEnd() && this.#distance < 1) this.#isAtEnd = true;
  }

  /** Returns to the reader's place after something has changed its size. */
  settle(): void {
    const { scrollHeight, clientHeight } = this.#box;
    if (this.#isAtEnd) this.#box.scrollTop = scrollHeight;
    else {
      const anchor = this.#anchors.find(({ node }) => node.isConnected);
      const moved = anchor === undefined ? 0 : this.#topOf(anchor.node) - anchor.top;
      if (Math.abs(moved) >= 1) this.#box.scrollTop += moved;
    }
    this.#full = scrollHeight;
    this.#height = clientHeight;
  }

  toEnd(): void {
    this.#isAtEnd = true;
    this.settle();
  }

  /** Shows an element at a distance from the top, and stays there. */
  show(node: Element, offset: number): void {
    this.#box.scrollTop += this.#topOf(node) - offset;
    this.#full = this.#box.scrollHeight;
    this.#height = this.#box.clientHeight;
    this.#isAtEnd = this.#isRealEnd() && this.#distance < 1;
    this.#note();
  }

  /** true: the whole element can be seen. */
  isSeen(node: Element): boolean {
    const top = this.#topOf(node);
    return top >= 0 && top + node.getBoundingClientRect().height <= this.#box.clientHeight;
  }

  /** The first element that can be seen, and its distance from the top. */
  get first(): Anchor | null {
    this.#note();
    return this.#anchors[0] ?? null;
  }

  end(): void {
    this.#observer.disconnect();
  }

  get #distance(): number {
    return this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight;
  }

  #scrolled(): void {
    // A change of size moves the position too. That is not the reader's doing.
    const isOwn = this.#box.scrollHeight === this.#full && this.#box.clientHeight === this.#height;
    if (!isOwn) return;
    this.#isAtEnd = this.#isRealEnd() && this.#distance < NEAR_END;
    if (!this.#isAtEnd) this.#note();
    this.#moved();
  }

  #note(): void {
    const rows = this.#list.children;
    let [low, high] = [0, rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const row = rows[middle] as Element;
      if (this.#topOf(row) + row.getBoundingClientRect().height > 0) high = middle;
      else low = middle + 1;
    }
    this.#anchors = [...rows].slice(low, low + MAX_ANCHORS).map((node) => ({ node, top: this.#topOf(node) }));
  }

  #topOf(node: Element): number {
    return node.getBoundingClientRect().top - this.#box.getBoundingClientRect().top;
  }
}
