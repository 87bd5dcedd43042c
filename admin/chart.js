import { el, svg } from './dom.js';

const WIDTH = 120;
const HEIGHT = 28;
/** Values that are shown: two minutes at one in two seconds. */
const MAX_POINTS = 60;

/** A line of the last values. It is decoration: the newest value stands beside it as text. */
export class Sparkline {
  #area = svg('path', { class: 'area' });
  #line = svg('path', { class: 'line' });
  element = svg(
    'svg',
    { class: 'spark', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    this.#area,
    this.#line,
  );
  /** @type {number[]} */
  #values = [];

  /** @param {number} value */
  push(value) {
    this.#values.push(value);
    if (this.#values.length > MAX_POINTS) this.#values.shift();
    const most = Math.max(1, ...this.#values);
    const step = WIDTH / (MAX_POINTS - 1);
    const from = WIDTH - (this.#values.length - 1) * step;
    const points = this.#values.map((v, i) => `${(from + i * step).toFixed(1)} ${y(v, most).toFixed(1)}`);
    this.#line.setAttribute('d', `M${points.join('L')}`);
    this.#area.setAttribute('d', `M${from.toFixed(1)} ${HEIGHT}L${points.join('L')}L${WIDTH} ${HEIGHT}Z`);
  }
}

/** @param {number} value @param {number} most */
function y(value, most) {
  return HEIGHT - 1.5 - (value / most) * (HEIGHT - 4);
}

/**
 * A bar beside a figure. It is decoration.
 * @param {number} part 0 to 1
 * @param {'' | 'warm' | 'hot'} tone
 */
export function bar(part, tone = '') {
  const width = Math.round(Math.min(1, Math.max(0, part)) * 100);
  return svg(
    'svg',
    { class: `bar ${tone}`, viewBox: '0 0 100 6', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svg('rect', { class: 'track', width: 100, height: 6, rx: 3 }),
    svg('rect', { class: 'filled', width, height: 6, rx: 3 }),
  );
}

/** A figure beside a bar, as wide as the figures above and below it. @param {string} text */
export function figure(text) {
  return el('span', { class: 'figure' }, text);
}
