import { el } from '../support/dom.ts';
import { icon } from '../support/icons.ts';
import { en, ko } from '../words/dialogs.ts';
import { chooseLanguage, inLanguage, LANGUAGES, words } from '../words/index.ts';
import { NOTICES_KEY, wantsNotices } from './notify.ts';
import { openShortcuts } from './shortcuts.ts';
import { chooseTheme, THEMES, theme } from './theme.ts';

export interface SettingsParts {
  readonly leave: () => void;
  readonly inspect: () => void;
}

/** Appearance, language, notifications, shortcuts, inspector, and the way out. */
export function openSettings({ leave, inspect }: SettingsParts): void {
  const text = { ...words().settings, ...inLanguage({ en, ko }).settings };
  const dialog = el('dialog', { class: 'settings', 'aria-labelledby': 'settings-title' });
  const close = () => dialog.close();
  const then = (work: () => void) => () => {
    close();
    work();
  };

  const themes = el('select', { id: 'theme' });
  for (const each of THEMES)
    themes.append(el('option', { value: each, selected: each === theme() }, text.themes[each]));
  themes.addEventListener('change', () => chooseTheme(themes.value));

  const languages = el('select', { id: 'language' });
  for (const [language, name] of LANGUAGES) {
    languages.append(el('option', { value: language, lang: language, selected: language === words().locale }, name));
  }
  languages.addEventListener('change', () => chooseLanguage(languages.value as 'en' | 'ko'));

  const notices = el('input', { type: 'checkbox', id: 'notices-on', checked: wantsNotices() });
  const refused = el('p', { class: 'bad', role: 'status' });
  notices.addEventListener('change', async () => {
    refused.textContent = '';
    if (notices.checked && !(await mayNotify())) {
      notices.checked = false;
      refused.textContent = text.notificationsOff;
    }
    localStorage.setItem(NOTICES_KEY, notices.checked ? 'on' : 'off');
  });

  dialog.append(
    el(
      'div',
      { class: 'dialog-head' },
      el('h2', { id: 'settings-title' }, text.title),
      el('button', { type: 'button', class: 'icon-button', 'aria-label': text.close, onclick: close }, icon('close')),
    ),
    el('p', { class: 'field' }, el('label', { for: 'theme' }, text.theme), themes),
    el('p', { class: 'field' }, el('label', { for: 'language' }, text.language), languages),
    el('p', { class: 'field' }, el('label', { for: 'notices-on' }, text.notifications), notices),
    refused,
    el(
      'div',
      { class: 'dialog-foot' },
      el('button', { type: 'button', onclick: then(openShortcuts) }, text.shortcuts),
      el('button', { type: 'button', onclick: then(inspect) }, icon('inspect'), words().inspector.title),
      el('button', { type: 'button', onclick: then(leave) }, text.leave),
    ),
  );
  dialog.addEventListener('click', ({ target }) => target === dialog && close());
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** Asks the user, by the browser, whether the page may notify. */
async function mayNotify(): Promise<boolean> {
  return 'Notification' in window && (await Notification.requestPermission()) === 'granted';
}
