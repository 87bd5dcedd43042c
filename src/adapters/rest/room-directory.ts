import { z } from 'zod';
import type { ChannelInfo, RoomDirectory } from '../../application/ports/room-directory.ts';
import { Refusal } from '../../domain/errors.ts';
import { type ChannelId, type CommunityId, parseId, type RoomId, type UserId } from '../../domain/ids.ts';
import type { PlaceKey } from '../../domain/place.ts';
import { parsePlaceTexts } from '../records/place-text.ts';
import { ID, isNotFound, refusalCode } from './answers.ts';
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
/** The service sends this list bare, unlike its other answers. The wrapped form is accepted too. */
const PLACES = z.union([z.array(z.string()), z.object({ result: z.array(z.string()) })]);

/** The code in the refusal of a channel that this user may not read. */
const NOT_PERMITTED_CODE = 1401;

/** Reads members of rooms, communities and channels from the community service. */
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
    if (isNotFound(answer)) return null;
    const read = CHANNEL.safeParse(answer.json);
    if (answer.status >= 400 || !read.success || read.data.isSuccess === false) {
      if (refusalCode(answer.json) === NOT_PERMITTED_CODE)
        throw new Refusal('not-permitted', `you are not a member of channel ${id}`);
      throw this.#service.unusableAnswer();
    }
    const { name, members, communityId, public: isPublic, id: answered } = read.data.result;
    if (answered !== id) throw this.#service.unusableAnswer();
    const ids = members.map((member) => (typeof member === 'number' ? member : member.id));
    return {
      id,
      name: name ?? null,
      members: [...new Set(ids)],
      isPublic: isPublic === true,
      communityId: parseId(communityId),
    };
  }

  /** The community service has no call that lists channels. */
  async channelsOf(): Promise<null> {
    return null;
  }

  async placesOf(userId: UserId): Promise<readonly PlaceKey[]> {
    const answer = await this.#service.call({ method: 'GET', path: `/community/feign/room-list/${userId}` });
    const read = PLACES.safeParse(answer.json);
    if (answer.status >= 300 || !read.success) throw this.#service.unusableAnswer();
    return parsePlaceTexts(Array.isArray(read.data) ? read.data : read.data.result);
  }

  async #members(path: string): Promise<readonly UserId[] | null> {
    const answer = await this.#service.call({ method: 'GET', path });
    if (isNotFound(answer)) return null;
    const read = MEMBERS.safeParse(answer.json);
    if (answer.status >= 300 || !read.success) throw this.#service.unusableAnswer();
    return [...new Set(read.data.result.members)];
  }
}
