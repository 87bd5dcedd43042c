import { byId, el, say } from './dom.js';

/** @param {string} title @param {...import('./dom.js').Child} content */
function open(title, ...content) {
  const dialog = byId('dialog', HTMLDialogElement);
  dialog.replaceChildren(el('h2', { id: 'dialog-title' }, title), ...content.map((child) => child || ''));
  dialog.showModal();
  return dialog;
}

/** @param {string} text @param {string} label */
function copyButton(text, label) {
  const button = el('button', { type: 'button' }, label);
  button.addEventListener('click', async () => {
    const done = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    );
    say(button, done === true ? 'Copied' : 'Select the text and copy it');
  });
  return button;
}

/**
 * Shows the JSON behind a table, and the call that gives it.
 * @param {{ title: string, curl: string, answer: unknown }} shown
 */
export function showJson({ title, curl, answer }) {
  const json = JSON.stringify(answer, null, 2);
  const dialog = open(
    title,
    el('pre', { class: 'curl', tabindex: 0, 'aria-label': 'Command line' }, curl),
    el('pre', { class: 'json', tabindex: 0, 'aria-label': 'JSON' }, json),
    el(
      'p',
      { class: 'buttons' },
      copyButton(curl, 'Copy as curl'),
      copyButton(json, 'Copy JSON'),
      el('button', { type: 'button', class: 'primary', onclick: () => dialog.close() }, 'Close'),
    ),
  );
}

/**
 * Asks before an action, and shows why it was refused.
 * @param {{ title: string, text: string, button: string, fields?: readonly HTMLElement[],
 * run: () => Promise<unknown> }} action
 */
export function confirmAction({ title, text, button, fields = [], run }) {
  const problem = el('p', { class: 'problem', role: 'alert' });
  const submit = el('button', { type: 'submit', class: 'primary danger' }, button);
  const form = el(
    'form',
    { method: 'dialog' },
    el('p', {}, text),
    ...fields,
    problem,
    el('p', { class: 'buttons' }, el('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'), submit),
  );
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    submit.disabled = true;
    say(problem, '');
    try {
      await run();
      dialog.close();
    } catch (error) {
      say(problem, error instanceof Error ? error.message : String(error));
    }
    submit.disabled = false;
  });
  const dialog = open(title, form);
}
