import { z } from 'zod';
import type { ChannelInfo, RoomDirectory } from '../../application/ports/room-directory.ts';
import { Refusal } from '../../domain/errors.ts';
import { type ChannelId, type CommunityId, parseId, type RoomId, type UserId } from '../../domain/ids.ts';
import type { PlaceKey } from '../../domain/place.ts';
import { parsePlaceTexts } from '../records/place-text.ts';
import { ID, isUnknown, refusalCode } from './answers.ts';
import type { RestService } from './rest-service.ts';

const MEMBERS = z.object({ result: z.object({ members: z.array(ID) }) });
const CHANNEL = z.object({
  isSuccess: z.boolean().optional(),
  result: z.object({
    id: ID,
    name: z.string().nullish(),
    public: z.unknown().optional(),
    members: z.array(z.union([ID, z.object({ id: ID })])),
    communityId: z.unknown().optional(),
  }),
});
/** The list is bare, unlike every other answer; the wrapped form is taken too. */
const PLACES = z.union([z.array(z.string()), z.object({ result: z.array(z.string()) })]);

/** What the community service calls a channel that this user may not read. */
const NOT_YOURS = 1401;

/** Who belongs where, asked of the community service. */
export class RestRoomDirectory implements RoomDirectory {
  readonly #service: RestService;

  constructor(service: RestService) {
    this.#service = service;
  }

  roomMembers(id: RoomId): Promise<readonly UserId[] | null> {
    return this.#members(`/room/feign/${id}/member-id`);
  }

  communityMembers(id: CommunityId): Promise<readonly UserId[] | null> {
    return this.#members(`/community/feign/${id}/member-id`);
  }

  async channel(id: ChannelId, user: { readonly userId: UserId; readonly token: string }): Promise<ChannelInfo | null> {
    const headers = { AUTHORIZATION: user.token, id: String(user.userId) };
    const answer = await this.#service.call({ method: 'GET', path: `/channel/${id}`, headers });
    if (isUnknown(answer)) return null;
    const read = CHANNEL.safeParse(answer.json);
    if (answer.status >= 400 || !read.success || read.data.isSuccess === false) {
      if (refusalCode(answer.json) === NOT_YOURS) throw new Refusal('not-permitted', 'not a member of this channel');
      throw this.#service.nonsense();
    }
    const { name, members, communityId, public: isPublic, id: answered } = read.data.result;
    if (answered !== id) throw this.#service.nonsense();
    const ids = members.map((member) => (typeof member === 'number' ? member : member.id));
    return {
      id,
      name: name ?? null,
      members: [...new Set(ids)],
      isPublic: isPublic === true,
      communityId: parseId(communityId),
    };
  }

  async placesOf(userId: UserId): Promise<readonly PlaceKey[]> {
    const answer = await this.#service.call({ method: 'GET', path: `/community/feign/room-list/${userId}` });
    const read = PLACES.safeParse(answer.json);
    if (answer.status >= 300 || !read.success) throw this.#service.nonsense();
    return parsePlaceTexts(Array.isArray(read.data) ? read.data : read.data.result);
  }

  async #members(path: string): Promise<readonly UserId[] | null> {
    const answer = await this.#service.call({ method: 'GET', path });
    if (isUnknown(answer)) return null;
    const read = MEMBERS.safeParse(answer.json);
    if (answer.status >= 300 || !read.success) throw this.#service.nonsense();
    return [...new Set(read.data.result.members)];
  }
}
