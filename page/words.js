/** @typedef {import('./world.js').Place} Place */
/** @typedef {import('./outbox.js').Words} Words */
/** @typedef {{ id: number, name: string, image: string | null }} Me */
/**
 * A frame without a receipt.
 * @typedef {{ destination: string, body: Record<string, unknown> }} Notice
 */

// The frames that the page sends.

/**
 * @param {Place} place
 * @param {Me} me
 * @param {string} content
 * @param {import('./api.js').Entry | null} parent of a reply
 * @returns {Words}
 */
export function messageTo(place, { id: userId, name, image: profileImage }, content, parent) {
  const body = { userId, name, profileImage, content };
  if (parent === null) return words(place, 'message', body);
  const { id: parentId, name: parentName, message: parentContent } = parent;
  return words(place, 'reply', { ...body, parentId, parentName, parentContent, type: 'reply' });
}

/**
 * @param {Place} place
 * @param {Me} me
 * @param {string} id of the message
 * @param {string} content
 * @returns {Words}
 */
export function editOf(place, me, id, content) {
  return words(place, 'modify', { id, content, userId: me.id, type: 'modify' });
}

/** @param {Place} place @param {Me} me @param {string} id of the message @returns {Words} */
export function deletionOf(place, me, id) {
  return words(place, 'delete', { id, userId: me.id, type: 'delete' });
}

/** @param {Place} place @param {Me} me @returns {Notice} */
export function typingOf(place, me) {
  const body = { content: me.name, type: 'typing', ...addressOf(place) };
  return { destination: destinationOf(place, 'typing'), body };
}

/**
 * Reports where the user looks: at the open place, otherwise at home.
 * @param {Me} me
 * @param {Place | null} open
 * @returns {Notice}
 */
export function whereabouts({ id: user_id }, open) {
  const body = { type: 'state', user_id, channel_id: open?.key ?? 'home' };
  return { destination: '/kafka/join-channel', body };
}

/**
 * Enters a voice channel or leaves it.
 * @param {Me} me
 * @param {'enter' | 'leave'} type
 * @param {Place} voice
 * @returns {Notice}
 */
export function signaling({ id: user_id }, type, voice) {
  const body = { type, user_id, community_id: voice.communityId, channel_id: voice.key };
  return { destination: '/kafka/signaling', body };
}

/**
 * @param {Place} place
 * @param {Words['kind']} kind
 * @param {Record<string, unknown>} fields
 * @returns {Words}
 */
function words(place, kind, fields) {
  const nonce = crypto.randomUUID();
  const body = { ...fields, ...addressOf(place), nonce };
  return { nonce, place: place.key, kind, destination: destinationOf(place, kind), body };
}

/** @param {Place} place @param {string} what */
function destinationOf({ kind }, what) {
  return `/kafka/send-${kind === 'room' ? 'direct' : 'channel'}-${what}`;
}

/** @param {Place} place */
function addressOf({ id, communityId }) {
  return communityId === null ? { channelId: id } : { channelId: id, communityId };
}
