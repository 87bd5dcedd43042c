import type { DemoWorld } from '../../adapters/http/demo-world.ts';
import type { JwtTokenIssuer } from '../../adapters/jwt/token-issuer.ts';
import type { MemoryDirectory } from '../../adapters/memory/directory.ts';
import { Refusal } from '../../domain/errors.ts';
import type { UserId } from '../../domain/ids.ts';

const LIFETIME_SECONDS = 24 * 60 * 60;

/**
 * The data for the demo page: tokens for everybody, and the users and places of the directory file.
 */
export function createDemo(issuer: JwtTokenIssuer, world: MemoryDirectory) {
  return {
    issueToken(userId: UserId): string {
      const users = world.users();
      if (users.size > 0 && !users.has(userId)) throw new Refusal('bad-input', `there is no demo user ${userId}`);
      return issuer.issue(userId, users.get(userId)?.name ?? `user${userId}`, LIFETIME_SECONDS);
    },
    demoWorld(): DemoWorld {
      return {
        users: Array.from(world.users(), ([id, { name, image }]) => ({ id, name, image })),
        rooms: Array.from(world.rooms(), ([id, members]) => ({ id, members })),
        communities: Array.from(world.communities(), ([id, { name, members, channels, channelNames }]) => ({
          id,
          name,
          members,
          channels: Array.from(channels, ([channel, only]) => ({
            id: channel,
            name: channelNames.get(channel) ?? null,
            members: only,
          })),
        })),
      };
    },
  };
}
