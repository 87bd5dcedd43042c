import type { ChannelId, CommunityId, RoomId, UserId } from '../../../domain/ids.ts';
import type { Handler } from '../deps.ts';
import { sendJson } from '../envelope.ts';

/** Whom the demo page offers to be, and the places that there are. All lists are empty where nobody knows. */
export interface DemoWorld {
  readonly users: readonly { readonly id: UserId; readonly name: string; readonly image: string | null }[];
  readonly rooms: readonly { readonly id: RoomId; readonly members: readonly UserId[] }[];
  readonly communities: readonly {
    readonly id: CommunityId;
    readonly members: readonly UserId[];
    /** A channel's members are null where all of the community may read it. */
    readonly channels: readonly { readonly id: ChannelId; readonly members: readonly UserId[] | null }[];
  }[];
}

/** The demo's users and places, `{"users":[...],"rooms":[...],"communities":[...]}`. */
export function demoWorldRoute(demo: { demoWorld(): DemoWorld }): Handler {
  return (_request, response) => sendJson(response, 200, demo.demoWorld());
}
