import type { MemberCache } from '../../application/ports/member-cache.ts';
import type { SessionReporter } from '../../application/ports/session-reporter.ts';
import type { SharedRates } from '../../application/ports/shared-rates.ts';
import type { ChannelId, CommunityId } from '../../domain/ids.ts';

/** A record on its way to other processes. Nobody on the way decodes its event. */
export interface CarriedRecord {
  readonly key: string;
  readonly server: string;
  readonly seq: number | null;
  readonly batchEnd: number | null;
  readonly isForServers: boolean;
  readonly trace: string | null;
  /** The event in the format of `structuredClone`. */
  readonly event: Uint8Array;
}

/** A voice channel that a user left, with the ids of the users who are still in it, as texts. */
export interface VoiceDeparture {
  readonly communityId: CommunityId;
  readonly channelId: ChannelId;
  readonly ids: readonly string[];
}

/** The ports whose calls the hub answers. */
export interface HubPorts {
  readonly presence: SessionReporter;
  readonly members: MemberCache;
  readonly rates: SharedRates;
}

export type HubPort = keyof HubPorts;

/** A call of a port's method. `id` is unique within the connection. */
export interface HubCall {
  readonly kind: 'call';
  readonly id: number;
  readonly port: HubPort;
  readonly method: string;
  readonly args: readonly unknown[];
}

export type ToHub =
  | { readonly kind: 'join'; readonly server: string }
  /** The server wants no more records, and its id is free. Answered like a call. */
  | { readonly kind: 'leave'; readonly id: number }
  | { readonly kind: 'publish'; readonly id: number; readonly records: readonly CarriedRecord[] }
  /** Records of stored events, for the other servers. Not answered. */
  | { readonly kind: 'stored'; readonly records: readonly CarriedRecord[] }
  | HubCall;

export type FromHub =
  /** The server with this id has joined. */
  | { readonly kind: 'joined' }
  /** Another live server has the id. */
  | { readonly kind: 'refused' }
  /** The ids of all servers that have joined. Sent to each of them after every change. */
  | { readonly kind: 'members'; readonly servers: readonly string[] }
  | { readonly kind: 'records' | 'stored'; readonly records: readonly CarriedRecord[] }
  | { readonly kind: 'answer'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: string }
  /** For one server of the cluster, which tells the others. */
  | { readonly kind: 'voice-left'; readonly left: VoiceDeparture };
