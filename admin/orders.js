import { confirmAction } from './dialog.js';
import { el, field } from './dom.js';
import { utc } from './format.js';

/** @typedef {import('./panel.js').Context} Context */

// The actions of administrators, each with a dialog that asks before.

/** @param {string} name */
function untilField(name) {
  const input = el('input', { type: 'datetime-local', name });
  return { input, element: field('Until, in your local time; empty: without end', input) };
}

/** @param {Context} context @param {number} userId */
export function disconnect({ api, refresh }, userId) {
  confirmAction({
    title: `Disconnect user ${userId}`,
    text: 'All sessions of the user end, on every server. The user may connect again at once.',
    button: 'Disconnect',
    run: async () => {
      await api.call('POST', 'disconnect', { userId });
      refresh();
    },
  });
}

/** @param {Context} context @param {number} userId */
export function ban({ api, refresh }, userId) {
  const until = untilField('until');
  const reason = el('input', { name: 'reason', maxlength: 1_000, autocomplete: 'off' });
  confirmAction({
    title: `Ban user ${userId}`,
    text: 'All sessions of the user end, and every call of theirs is refused.',
    button: 'Ban',
    fields: [until.element, field('Reason, for administrators only', reason)],
    run: async () => {
      await api.call('PUT', `bans/${userId}`, { until: utc(until.input.value), reason: reason.value || null });
      refresh();
    },
  });
}

/** @param {Context} context @param {number} userId */
export function mute({ api, refresh }, userId) {
  const until = untilField('until');
  const place = el('input', { name: 'place', pattern: '(r|c)-[0-9]+', placeholder: 'r-5', autocomplete: 'off' });
  confirmAction({
    title: `Mute user ${userId}`,
    text: 'Messages, replies, edits, typing and uploads of the user are refused.',
    button: 'Mute',
    fields: [field('Room or channel; empty: everywhere', place), until.element],
    run: async () => {
      await api.call('PUT', `mutes/${userId}`, { place: place.value || null, until: utc(until.input.value) });
      refresh();
    },
  });
}

/** @param {Context} context @param {number} userId */
export function unban({ api, refresh }, userId) {
  confirmAction({
    title: `Lift the ban of user ${userId}`,
    text: 'The user may connect again.',
    button: 'Unban',
    run: async () => {
      await api.call('DELETE', `bans/${userId}`);
      refresh();
    },
  });
}

/** @param {Context} context @param {number} userId @param {string | null} place */
export function unmute({ api, refresh }, userId, place) {
  confirmAction({
    title: `Unmute user ${userId}`,
    text: place === null ? 'The mute that holds everywhere ends.' : `The mute in ${place} ends.`,
    button: 'Unmute',
    run: async () => {
      await api.call('DELETE', `mutes/${userId}${place === null ? '' : `?place=${place}`}`);
      refresh();
    },
  });
}

/** @param {Context} context @param {string} given the place; empty if it is not known */
export function slowDown({ api, refresh }, given) {
  const place = el('input', {
    name: 'place',
    required: true,
    pattern: '(r|c)-[0-9]+',
    placeholder: 'r-5',
    value: given,
  });
  const seconds = el('input', { name: 'seconds', type: 'number', required: true, min: 0, max: 21_600, value: 10 });
  confirmAction({
    title: 'Slow mode',
    text: 'Each user may send one message in so many seconds there. 0 ends it.',
    button: 'Set',
    fields: [field('Room or channel', place), field('Seconds', seconds)],
    run: async () => {
      await api.call('PUT', `places/${place.value}/slow-mode`, { seconds: Number(seconds.value) });
      refresh();
    },
  });
}

/** @param {Context} context */
export function tryRetention({ api, refresh }) {
  const days = el('input', { name: 'days', type: 'number', min: 1, max: 36_500 });
  const fileDays = el('input', { name: 'file-days', type: 'number', min: 1, max: 36_500 });
  confirmAction({
    title: 'Dry run of retention',
    text: 'A job counts what retention would remove. It changes nothing.',
    button: 'Begin',
    fields: [
      field('Days of messages; empty: RETENTION_DAYS', days),
      field('Days of files; empty: RETENTION_FILE_DAYS', fileDays),
    ],
    run: async () => {
      const query = new URLSearchParams();
      if (days.value !== '') query.set('days', days.value);
      if (fileDays.value !== '') query.set('file-days', fileDays.value);
      await api.call('POST', `jobs/retention-dry-run?${query}`);
      refresh();
    },
  });
}

/** @param {Context} context */
export function tryErasure({ api, refresh }) {
  const user = el('input', { name: 'user', type: 'number', required: true, min: 1 });
  const mode = el('select', { name: 'mode' }, el('option', {}, 'erase'), el('option', {}, 'anonymise'));
  confirmAction({
    title: 'Dry run of an erasure',
    text: 'A job counts what the erasure of a user would change. It changes nothing.',
    button: 'Begin',
    fields: [field('User id', user), field('Mode', mode)],
    run: async () => {
      await api.call('DELETE', `users/${user.value}?mode=${mode.value}&dry-run=true`);
      refresh();
    },
  });
}
