import type { MemoryDirectory } from './directory.ts';

/** All that a directory knows, in the shape that a JSON answer takes. */
export function demoWorld(directory: Pick<MemoryDirectory, 'users' | 'rooms' | 'communities'>) {
  return {
    users: [...directory.users()].map(([id, { name, image }]) => ({ id, name, image })),
    rooms: [...directory.rooms()].map(([id, members]) => ({ id, members })),
    communities: [...directory.communities()].map(([id, { members, channels }]) => ({
      id,
      members,
      channels: [...channels].map(([channelId, only]) => ({ id: channelId, members: only })),
    })),
  };
}
