import { byId, el } from './dom.js';

/** @typedef {import('./stomp.js').Link} Link */

const banner = byId('banner', HTMLElement);
const notices = byId('notices', HTMLElement);
const NOTICE_MS = 8_000;
let tick = 0;
let shown = '';

/**
 * Shows the state of the connection while it is not online.
 * @param {Link} link
 * @param {() => void} onRetry
 */
export function showLink(link, onRetry) {
  clearInterval(tick);
  const text = textOf(link);
  if (text !== shown) {
    shown = text;
    banner.hidden = text === '';
    banner.className = link.kind;
    const retry = el('button', { type: 'button', onclick: onRetry }, 'Try now');
    banner.replaceChildren(text, ...(link.kind === 'waiting' ? [' ', retry] : []));
  }
  if (link.kind === 'waiting') tick = setInterval(() => showLink(link, onRetry), 1_000);
}

/** @param {Link} link */
function textOf(link) {
  if (link.kind === 'connecting') return 'Connecting…';
  if (link.kind !== 'waiting') return '';
  const seconds = Math.max(1, Math.ceil((link.retryAt - performance.now()) / 1000));
  return `Not connected: ${link.reason}. Trying again in ${seconds} s.`;
}

/** Shows a notice for a short time. @param {string} text */
export function showNotice(text) {
  const remove = () => notice.remove();
  const close = el('button', { type: 'button', 'aria-label': 'Dismiss', onclick: remove }, '×');
  const notice = el('p', {}, el('span', {}, text), close);
  for (const same of [...notices.children]) if (same.textContent === notice.textContent) same.remove();
  notices.append(notice);
  setTimeout(remove, NOTICE_MS);
}
