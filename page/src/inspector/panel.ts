import { inLanguage, words } from '../words/index.ts';
import { en, ko } from '../words/inspector.ts';
import type { Line } from './line.ts';
import { InspectorLog, type Note, type Row } from './log.ts';

/** Parts of a nonce that are shown: enough to tell two apart. */
const NONCE_CHARS = 8;
const ALL = '';

/**
 * Shows what the line carries: numbers, receipts, nonces and resumes, as they happen. It can cut
 * the line and lose the server's answers. Returns a function that ends it.
 */
export function openInspector(container: HTMLElement, line: Line): () => void {
  const text = inLanguage({ en, ko });
  const log = new InspectorLog();
  for (const carried of line.kept) log.take(carried);

  const cut = button(() => (line.isCut ? line.mend() : line.cut()));
  const lose = button(() => (line.isLosing ? line.hear() : line.lose()));
  const clear = button(() => {
    log.clear();
    later();
  }, text.clear);
  const filter = element('select', { ariaLabel: text.place });
  const totals = element('p', { className: 'inspector-totals' });
  const body = element('tbody', {});
  const scroller = element('div', { className: 'inspector-rows', tabIndex: 0 });
  scroller.setAttribute('role', 'region');
  scroller.setAttribute('aria-label', text.frames);
  const table = element('table', {}, head(), body);
  scroller.append(table);
  const about = element('p', { className: 'inspector-about' }, text.about);
  const bar = element('div', { className: 'inspector-bar' }, cut, lose, filter, clear);
  container.replaceChildren(about, bar, totals, scroller);

  const shown = new Map<number, { readonly row: Row; readonly element: HTMLTableRowElement }>();
  let frame = 0;
  let isFollowing = true;
  scroller.addEventListener('scroll', () => {
    isFollowing = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 24;
  });
  filter.addEventListener('change', () => later());

  function show(): void {
    frame = 0;
    cut.textContent = line.isCut ? text.mend : text.cut;
    lose.textContent = line.isLosing ? text.hear : text.lose;
    const { sent, received, beats, connections, missed } = log.totals;
    totals.textContent = text.totals(sent, received, beats, connections, missed);
    showPlaces();
    showRows();
    if (isFollowing) scroller.scrollTop = scroller.scrollHeight;
  }

  function showPlaces(): void {
    const places = log.places;
    const known = [...filter.options].map(({ value }) => value).join();
    if (known === [ALL, ...places].join()) return;
    const chosen = filter.value;
    filter.replaceChildren(option(ALL, text.allPlaces), ...places.map((place) => option(place, place)));
    filter.value = places.includes(chosen) ? chosen : ALL;
  }

  function showRows(): void {
    const rows = log.rows.filter(({ place }) => filter.value === ALL || place === filter.value);
    const keys = new Set(rows.map(({ key }) => key));
    for (const [key, { element }] of shown) {
      if (keys.has(key)) continue;
      element.remove();
      shown.delete(key);
    }
    let before: HTMLTableRowElement | null = null;
    for (const row of rows) {
      const known = shown.get(row.key);
      if (known?.row === row) {
        before = known.element;
        continue;
      }
      const fresh = rowElement(row);
      if (known !== undefined) known.element.replaceWith(fresh);
      else if (before === null) body.prepend(fresh);
      else before.after(fresh);
      shown.set(row.key, { row, element: fresh });
      before = fresh;
    }
  }

  /** A burst of frames is shown once. */
  function later(): void {
    if (frame === 0) frame = requestAnimationFrame(show);
  }

  function rowElement({ at, from, what, place, seq, nonce, note }: Row): HTMLTableRowElement {
    const time = new Date(at).toLocaleTimeString(words().locale, { hour12: false });
    const name = from === 'line' ? (text.line[what as keyof typeof text.line] ?? what) : what;
    const cells = [
      time,
      text.from[from],
      name,
      place ?? '',
      seq ?? '',
      nonce?.slice(0, NONCE_CHARS) ?? '',
      noteText(note),
    ];
    const row = element('tr', { className: `inspector-${from} inspector-${note.kind}` });
    row.append(...cells.map((cell) => element('td', {}, String(cell))));
    return row;
  }

  function noteText(note: Note): string {
    switch (note.kind) {
      case 'none':
        return '';
      case 'waiting':
        return text.waiting;
      case 'stored':
        return note.seq === null ? text.answered(note.ms) : text.stored(note.seq, note.ms);
      case 'again':
        return text.again(note.times);
      case 'resuming':
        return text.resuming(note.from);
      case 'resumed':
        return text.resumed(note.missed, note.ms);
      case 'own':
        return text.own;
      case 'refused':
        return text.refused(note.code, note.message);
      case 'lost':
        return text.lost;
    }
  }

  function head(): HTMLTableSectionElement {
    const cells = text.columns.map((column) => {
      const cell = element('th', {}, column);
      cell.scope = 'col';
      return cell;
    });
    return element('thead', {}, element('tr', {}, ...cells));
  }

  const stop = line.listen((carried) => {
    log.take(carried);
    later();
  });
  show();
  return () => {
    stop();
    cancelAnimationFrame(frame);
    container.replaceChildren();
  };
}

function button(press: () => void, label = ''): HTMLButtonElement {
  const made = element('button', { type: 'button', textContent: label });
  made.addEventListener('click', press);
  return made;
}

function option(value: string, label: string): HTMLOptionElement {
  return element('option', { value, textContent: label });
}

function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]>,
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}
