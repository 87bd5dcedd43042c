/**
 * @typedef {object} World
 * @property {{ id: number, name: string, image: string | null }[]} users
 * @property {{ id: number, members: number[] }[]} rooms
 * @property {{ id: number, members: number[], channels: { id: number, members: number[] | null }[]
 * }[]} communities
 */
/**
 * A direct room or a text channel that the user may read.
 * @typedef {object} Place
 * @property {string} key `r-5` or `c-11`
 * @property {'room' | 'channel'} kind
 * @property {number} id
 * @property {number | null} communityId null for a room
 * @property {string} title
 * @property {number[]} members
 * @property {boolean} isPrivate false if all members of the community may read the channel
 */
/** @typedef {{ id: number, title: string, members: number[], channels: Place[] }} Community */
/** @typedef {{ rooms: Place[], communities: Community[] }} Places */

/** @param {World} world @param {number} userId */
export function nameOf(world, userId) {
  return world.users.find(({ id }) => id === userId)?.name ?? `User ${userId}`;
}

/**
 * The rooms and channels that a user may read.
 * @param {World} world
 * @param {number} userId
 * @returns {Places}
 */
export function placesOf(world, userId) {
  const rooms = world.rooms.filter(({ members }) => members.includes(userId));
  const communities = world.communities.filter(({ members }) => members.includes(userId));
  return {
    rooms: rooms.map((room) => roomPlace(world, room, userId)),
    communities: communities.map(({ id, members, channels }) => ({
      id,
      title: `Community ${id}`,
      members,
      channels: channels
        .filter((channel) => channel.members === null || channel.members.includes(userId))
        .map((channel) => channelPlace(id, members, channel)),
    })),
  };
}

/** @param {Places} places @returns {Place[]} */
export function allPlaces({ rooms, communities }) {
  return [...rooms, ...communities.flatMap(({ channels }) => channels)];
}

/** The destination of the place's events. @param {Place} place */
export function topicOf({ kind, id }) {
  return kind === 'room' ? `/topic/direct/${id}` : `/topic/group/${id}`;
}

/**
 * @param {World} world
 * @param {World['rooms'][number]} room
 * @param {number} userId
 * @returns {Place}
 */
function roomPlace(world, { id, members }, userId) {
  const others = members.filter((member) => member !== userId).map((member) => nameOf(world, member));
  const title = others.length === 0 ? `Room ${id}` : others.join(', ');
  return { key: `r-${id}`, kind: 'room', id, communityId: null, title, members, isPrivate: true };
}

/**
 * @param {number} communityId
 * @param {number[]} all
 * @param {{ id: number, members: number[] | null }} channel
 * @returns {Place}
 */
function channelPlace(communityId, all, { id, members }) {
  const isPrivate = members !== null;
  return {
    key: `c-${id}`,
    kind: 'channel',
    id,
    communityId,
    title: `channel-${id}`,
    members: members ?? all,
    isPrivate,
  };
}
