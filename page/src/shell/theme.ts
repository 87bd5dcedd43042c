export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'chat-theme';

/** The appearance that the user chose. */
export function theme(): Theme {
  const kept = localStorage.getItem(KEY);
  return THEMES.find((each) => each === kept) ?? 'system';
}

/** Shows the page as chosen. The style sheet knows both appearances. */
export function applyTheme(): void {
  document.documentElement.dataset.theme = theme();
}

export function chooseTheme(chosen: string): void {
  localStorage.setItem(KEY, chosen);
  applyTheme();
}
