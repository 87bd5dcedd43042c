import { el, say } from './dom.js';

/**
 * A column of a table.
 * @template Row
 * @typedef {object} Column
 * @property {string} title
 * @property {(row: Row) => string | number} value decides whether a cell is drawn again
 * @property {(row: Row) => Node | string} [draw] without it, the value is the text
 * @property {'number' | 'text' | 'actions'} [kind]
 * @property {boolean} [isKey] the cell names the row
 */

/**
 * A table that is shown again and again. Rows and cells that stay the same are left alone, so that
 * the focus, a selection and the place of the scroll stay.
 * @template Row
 */
export class Table {
  /** The table in a region that scrolls sideways. */
  element;
  /** @type {readonly Column<Row>[]} */
  #columns;
  #keyOf;
  #body = el('tbody');
  #empty;
  /** @type {Map<string, { line: HTMLTableRowElement, values: (string | number)[] }>} */
  #lines = new Map();

  /**
   * @param {{ caption: string, empty: string, columns: readonly Column<Row>[],
   * keyOf: (row: Row) => string }} parts
   */
  constructor({ caption, empty, columns, keyOf }) {
    this.#columns = columns;
    this.#keyOf = keyOf;
    const heads = columns.map(({ title, kind = 'text' }) => el('th', { scope: 'col', class: kind }, title));
    this.#empty = el('p', { class: 'empty' }, empty);
    this.element = el(
      'div',
      { class: 'scroll', role: 'region', 'aria-label': caption, tabindex: 0 },
      el('table', {}, el('caption', { class: 'unseen' }, caption), el('thead', {}, el('tr', {}, ...heads)), this.#body),
      this.#empty,
    );
  }

  /** Makes these the rows, in this order. @param {readonly Row[]} rows */
  show(rows) {
    this.#empty.hidden = rows.length > 0;
    const keys = new Set(rows.map(this.#keyOf));
    for (const [key, { line }] of this.#lines) {
      if (keys.has(key)) continue;
      line.remove();
      this.#lines.delete(key);
    }
    /** @type {Element | null} */
    let at = this.#body.firstElementChild;
    for (const row of rows) {
      const line = this.#lineOf(row);
      if (line === at) at = line.nextElementSibling;
      else this.#body.insertBefore(line, at);
    }
  }

  /** @param {Row} row @returns {HTMLTableRowElement} */
  #lineOf(row) {
    const key = this.#keyOf(row);
    const known = this.#lines.get(key);
    if (known === undefined) {
      const cells = this.#columns.map(({ kind = 'text', isKey = false }) =>
        isKey ? el('th', { scope: 'row', class: kind }) : el('td', { class: kind }),
      );
      this.#lines.set(key, { line: el('tr', {}, ...cells), values: [] });
      return this.#lineOf(row);
    }
    this.#columns.forEach(({ value, draw }, index) => {
      const now = value(row);
      const cell = known.line.cells[index];
      if (cell === undefined || known.values[index] === now) return;
      known.values[index] = now;
      const drawn = draw === undefined ? String(now) : draw(row);
      if (typeof drawn === 'string') say(cell, drawn);
      else cell.replaceChildren(drawn);
    });
    return known.line;
  }
}
