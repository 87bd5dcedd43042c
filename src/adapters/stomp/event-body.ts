import type { ChatEvent } from '../../domain/chat-event.ts';
import type { PersonalEvent } from '../../domain/personal-event.ts';
import { idOf, isChannel } from '../../domain/place.ts';
import type { Draft, FileShared, ReplyCreated } from '../../domain/stored-event.ts';
import { DELETED_PARENT } from '../support/deleted-parent.ts';
import { shownFile } from '../support/shown-file.ts';
import { wireTime } from '../support/wire-time.ts';

/**
 * Makes the link of a stored file from its key and the base, e.g. `ab12` and
 * `https://chat.example`. Whole URLs and the empty text are returned unchanged.
 */
export type FileLink = (key: string, base: string) => string;

/** The body of a MESSAGE frame. */
export interface EventBody {
  readonly json: string;
  /** Value of the header `seq`; null: the event has no number. */
  readonly seq: number | null;
}

/**
 * Encodes an event for subscribers. Null: the event is only for servers.
 * @param link makes a link from a file key
 */
export function eventBody(event: ChatEvent, link: (key: string) => string): EventBody | null {
  switch (event.kind) {
    case 'message':
    case 'reply':
    case 'file':
    case 'modify':
    case 'delete':
      return { json: storedBody(event, event.seq, link), seq: event.seq };
    case 'foreign':
      return { json: storedBody(event.event, undefined, link), seq: null };
    case 'typing':
      return unnumbered({ name: event.name, type: 'typing' });
    case 'connect':
    case 'disconnect':
      return unnumbered({ type: event.kind, userId: String(event.userId) });
    case 'voice':
      return unnumbered(event.state);
    case 'voice-left':
      return unnumbered({
        type: event.type,
        communityId: String(event.communityId),
        channelId: `c-${event.channelId}`,
        ids: event.ids,
      });
    case 'call-left':
      return unnumbered({ type: event.type, channelId: String(event.roomId), ids: event.ids });
    case 'unknown':
    case 'members-changed':
    case 'read':
    case 'roster':
    case 'moderation-changed':
    case 'question':
    case 'answer':
      return null;
  }
}

/** The last message to the subscription of a removed member. */
export const REMOVED: EventBody = { json: '{"type":"removed"}', seq: null };

/** The body of a personal event. */
export function personalBody(event: PersonalEvent): EventBody {
  switch (event.kind) {
    case 'added':
    case 'left':
      return unnumbered({ type: event.kind, place: event.place });
    case 'unread':
      return unnumbered({ type: event.kind, place: event.place, count: event.count, seq: event.seq });
    case 'read':
      return unnumbered({ type: event.kind, place: event.place, seq: event.seq });
  }
}

/** Tells a client to start over from `seq`: the events it asked for are no longer available. */
export function resetBody(seq: number): EventBody {
  return { json: JSON.stringify({ type: 'reset', seq }), seq };
}

/** True if the body depends on the address at which the client reached the server. */
export function hasLinks(event: ChatEvent): boolean {
  return event.kind === 'file' || (event.kind === 'foreign' && event.event.kind === 'file');
}

/**
 * True for events that slow clients do not get. The next event of the kind brings them up to date.
 */
export function isLowValue(event: ChatEvent): boolean {
  return event.kind === 'typing' || event.kind === 'connect' || event.kind === 'disconnect' || event.kind === 'voice';
}

function unnumbered(body: object): EventBody {
  return { json: JSON.stringify(body), seq: null };
}

// JSON leaves undefined fields out, so events without a nonce have no such field.
function storedBody(event: Draft, seq: number | undefined, link: (key: string) => string): string {
  const nonce = event.nonce ?? undefined;
  const userId = String(event.userId);
  switch (event.kind) {
    case 'message': {
      const { name, profileImage, id, content } = event;
      const time = wireTime(event.time);
      return JSON.stringify({ name, profileImage, time, id, type: 'message', message: content, userId, seq, nonce });
    }
    case 'reply': {
      const { name, id, profileImage, content: message } = event;
      const { parentId, parentName, parentContent } = quotation(event);
      const time = wireTime(event.time);
      const type = 'reply';
      return JSON.stringify({
        parentName,
        name,
        id,
        profileImage,
        time,
        type,
        message,
        parentContent,
        parentId,
        userId,
        seq,
        nonce,
      });
    }
    case 'file':
      return JSON.stringify({ ...fileBody(event, link), userId, seq, nonce });
    case 'modify': {
      const { id, content: message } = event;
      return JSON.stringify({ id, time: wireTime(event.time), type: 'modify', message, userId, seq, nonce });
    }
    case 'delete':
      return JSON.stringify({ id: event.id, type: 'delete', seq, nonce });
  }
}

/** The parent of a reply as the frame shows it. A deleted parent is shown as in the history. */
function quotation({ parentId, parentName, parentContent }: Omit<ReplyCreated, 'seq'>) {
  return parentContent === null ? DELETED_PARENT : { parentId, parentName, parentContent };
}

function fileBody(event: Omit<FileShared, 'seq'>, link: (key: string) => string): object {
  return {
    id: event.id,
    name: event.name,
    profileImage: event.profileImage,
    type: isChannel(event.place) ? 'community' : 'direct',
    fileType: event.fileType,
    ...shownFile(event.fileType, event, link),
    channelId: idOf(event.place),
    time: wireTime(event.time),
  };
}
