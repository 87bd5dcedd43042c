import { isChannel, isRoom } from '../../../domain/place.ts';
import type { Stored } from '../../application.ts';
import type { Membership } from '../../membership/membership.ts';
import type { MessageWriter } from '../../messages/message-writer.ts';
import type { ServiceMessage } from '../../service-calls.ts';

export interface SendInNameParts {
  readonly writer: MessageWriter;
  readonly membership: Membership;
}

/** Stores a message or reply that an administrator sends in the name of a user. */
export class SendInName {
  readonly #parts: SendInNameParts;

  constructor(parts: SendInNameParts) {
    this.#parts = parts;
  }

  async execute({ place, userId, content, communityId, parentId, nonce }: ServiceMessage): Promise<Stored> {
    const { writer, membership } = this.#parts;
    writer.checkInput({ content, nonce });
    // A room that nobody knows is a mistake. Of a channel the directory tells only its users.
    if (isRoom(place)) await membership.members(place);
    const input = { name: null, profileImage: null, content, nonce };
    const community = isChannel(place) ? communityId : null;
    const { result } = await writer.createAdmitted({ userId }, place, community, input, parentId);
    return result;
  }
}
