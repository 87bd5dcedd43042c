import { showJson } from './dialog.js';
import { el, say } from './dom.js';

/**
 * What a view gets.
 * @typedef {object} Context
 * @property {import('./api.js').Api} api
 * @property {boolean} mayAct the server allows the page to change something
 * @property {() => void} refresh shows the view anew at once
 */
/**
 * One of the pages behind the navigation.
 * @typedef {object} View
 * @property {HTMLElement} element
 * @property {number} every milliseconds between two refreshes
 * @property {() => Promise<void>} refresh
 * @property {() => void} [close] ends what runs beside the refreshes
 */

/**
 * A part of a view with a heading, which shows the answer of one call, and the JSON behind it.
 * @template Answer
 */
export class Panel {
  element;
  #api;
  #path;
  #note = el('p', { class: 'note', hidden: true });
  /** @type {Answer | null} */
  #answer = null;

  /**
   * @param {{ api: import('./api.js').Api, title: string, hint?: string,
   * path: () => string }} parts
   * @param {...import('./dom.js').Child} content
   */
  constructor({ api, title, hint = '', path }, ...content) {
    this.#api = api;
    this.#path = path;
    const json = el(
      'button',
      {
        type: 'button',
        class: 'quiet',
        'aria-label': `JSON of: ${title}`,
        onclick: () => showJson({ title, curl: api.curl('GET', path()), answer: this.#answer }),
      },
      'JSON',
    );
    this.element = el(
      'section',
      { class: 'panel' },
      el('div', { class: 'head' }, el('h2', {}, title), hint === '' ? null : el('p', { class: 'hint' }, hint), json),
      this.#note,
      ...content,
    );
  }

  /** Makes the call. @returns {Promise<Answer>} */
  async read() {
    const answer = await this.#api.call('GET', this.#path());
    this.#answer = answer;
    const missing = answer.missing ?? [];
    this.note(missing.length === 0 ? '' : `No answer from ${missing.join(', ')}: the figures are without it.`);
    return answer;
  }

  /** Shows a warning above the content. @param {string} text empty for none */
  note(text) {
    this.#note.hidden = text === '';
    say(this.#note, text);
  }
}

/**
 * A small button.
 * @param {string} text
 * @param {string} label names the row too
 * @param {() => void} run
 */
export function rowButton(text, label, run) {
  return el('button', { type: 'button', class: 'quiet', 'aria-label': label, onclick: run }, text);
}

/** @param {number} userId */
export function userLink(userId) {
  return el('a', { href: `#users/${userId}` }, `user ${userId}`);
}

/** @param {string} place */
export function placeLink(place) {
  return el('a', { href: `#places/${place}` }, place);
}

/**
 * A form that opens a view of one user or place.
 * @param {string} label
 * @param {HTMLInputElement} input
 * @param {'users' | 'places'} view
 */
export function lookUpForm(label, input, view) {
  const look = (/** @type {Event} */ event) => {
    event.preventDefault();
    location.hash = `#${view}/${input.value}`;
  };
  return el(
    'form',
    { class: 'look-up', onsubmit: look },
    el('label', { for: input.id }, label),
    input,
    el('button', { type: 'submit' }, 'Look'),
  );
}
