import type { AnyPlaceKey, Chat, MyPlace, PlaceKey } from 'chat-server-client';
import { words } from '../words/index.ts';
import type { World } from './demo-api.ts';
import type { People } from './people.ts';
import { Signal } from './signal.ts';

/** A room or channel that the user may read, with everything the page says about it. */
export interface PlaceInfo {
  readonly key: PlaceKey;
  readonly id: number;
  readonly kind: 'room' | 'channel';
  readonly title: string;
  readonly communityId: number | null;
  /** The title of the community; null for a room. */
  readonly community: string | null;
  /** null: not known. */
  readonly members: readonly number[] | null;
  readonly isPrivate: boolean;
}

export interface CommunityInfo {
  readonly id: number;
  readonly title: string;
  readonly channels: readonly PlaceInfo[];
}

export interface KnownPlaces {
  readonly rooms: readonly PlaceInfo[];
  readonly communities: readonly CommunityInfo[];
}

/** The places of the user: the server's list, with the names of the demo. It follows changes. */
export class PlaceBook {
  readonly #me: number;
  readonly #people: People;
  readonly #chat: Chat;
  #world: World;
  readonly all: Signal<KnownPlaces>;
  /** false: the list is the demo's, the server has not answered yet. */
  isConfirmed = false;

  constructor(me: number, chat: Chat, people: People, world: World) {
    this.#me = me;
    this.#chat = chat;
    this.#people = people;
    this.#world = world;
    this.all = new Signal(this.#make());
    chat.places.subscribe(() => {
      this.isConfirmed = true;
      this.refresh();
    });
  }

  learnWorld(world: World): void {
    this.#world = world;
    this.refresh();
  }

  refresh(): void {
    this.all.set(this.#make());
  }

  /** All rooms and channels, in the order of the list. */
  get list(): readonly PlaceInfo[] {
    const { rooms, communities } = this.all.value;
    return [...rooms, ...communities.flatMap(({ channels }) => channels)];
  }

  find(key: string | null): PlaceInfo | undefined {
    return this.list.find((place) => place.key === key);
  }

  #make(): KnownPlaces {
    // Until the server has answered, the demo's list is shown: it is there before the connection.
    const mine = this.isConfirmed ? this.#chat.places.getSnapshot() : this.#fromWorld();
    const rooms = mine.filter(({ kind }) => kind === 'room').map((place) => this.#room(place));
    const channels = mine.filter(({ kind }) => kind === 'channel');
    const ids = new Set(mine.flatMap((each) => communityOf(each) ?? []));
    const communities = [...ids].map((id) => {
      const title = this.#community(id)?.name ?? words().places.community(id);
      const own = channels.filter(({ communityId }) => communityId === id);
      return { id, title, channels: own.map((channel) => this.#channel(channel, id, title)) };
    });
    return { rooms, communities: communities.filter((each) => each.channels.length > 0) };
  }

  #fromWorld(): readonly MyPlace[] {
    const isMine = ({ members }: { readonly members: readonly number[] | null }) =>
      members === null || members.includes(this.#me);
    return [
      ...this.#world.rooms
        .filter(isMine)
        .map(({ id, members }): MyPlace => ({ place: `r-${id}`, kind: 'room', name: null, members })),
      ...this.#world.communities.filter(isMine).flatMap(({ id, channels }) =>
        channels.filter(isMine).map(
          (channel): MyPlace => ({
            place: `c-${channel.id}`,
            kind: 'channel',
            name: channel.name,
            communityId: id,
            public: channel.members === null,
          }),
        ),
      ),
    ];
  }

  #room({ place, name, members }: MyPlace): PlaceInfo {
    const id = idOf(place);
    const known = members ?? this.#world.rooms.find((room) => room.id === id)?.members ?? null;
    const others = (known ?? []).filter((member) => member !== this.#me).map((member) => this.#people.get(member).name);
    return {
      key: place as PlaceKey,
      id,
      kind: 'room',
      title: name ?? (others.join(', ') || words().places.room(id)),
      communityId: null,
      community: null,
      members: known,
      isPrivate: true,
    };
  }

  #channel({ place, name, public: isPublic }: MyPlace, communityId: number, community: string): PlaceInfo {
    const id = idOf(place);
    const world = this.#community(communityId);
    const known = world?.channels.find((channel) => channel.id === id);
    return {
      key: place as PlaceKey,
      id,
      kind: 'channel',
      title: name ?? known?.name ?? words().places.channel(id),
      communityId,
      community,
      members: known?.members ?? world?.members ?? null,
      isPrivate: isPublic === false,
    };
  }

  #community(id: number): World['communities'][number] | undefined {
    return this.#world.communities.find((community) => community.id === id);
  }
}

function idOf(place: AnyPlaceKey): number {
  return Number(place.slice(place.indexOf('-') + 1));
}

function communityOf({ kind, place, communityId }: MyPlace): number | null {
  return kind === 'community' ? idOf(place) : (communityId ?? null);
}
