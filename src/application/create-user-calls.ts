import type { Application } from './application.ts';
import type { Broadcast } from './broadcast.ts';
import type { Query } from './commands.ts';
import type { Limits } from './limits.ts';
import type { Membership } from './membership/membership.ts';
import type { PlacesOfUser } from './membership/places-of-user.ts';
import type { MessageWriter } from './messages/message-writer.ts';
import type { Restrictions } from './moderation/restrictions.ts';
import type { TextChecks } from './moderation/text-checks.ts';
import type { Feeds } from './ordering/feeds.ts';
import type { FileStore } from './ports/file-store.ts';
import type { IdSource } from './ports/id-source.ts';
import type { LocalSubscribers } from './ports/local-subscribers.ts';
import type { MessageStore } from './ports/message-store.ts';
import type { ReadMarkers } from './ports/read-markers.ts';
import type { SessionReporter } from './ports/session-reporter.ts';
import type { Telemetry } from './ports/telemetry.ts';
import type { UserDirectory } from './ports/user-directory.ts';
import type { Announcer } from './presence/announcer.ts';
import type { ClusterSessions } from './presence/cluster-sessions.ts';
import type { Sessions } from './presence/sessions.ts';
import type { VoiceBroadcast } from './presence/voice-broadcast.ts';
import type { VoiceSessions } from './presence/voice-sessions.ts';
import type { Rates } from './rates.ts';
import type { ReadMarks } from './read-marks.ts';
import type { TraceTable } from './traces/trace-table.ts';
import { watchedQuery, watchedUpload } from './traces/watched.ts';
import { DeleteMessage } from './use-cases/messages/delete-message.ts';
import { ModifyMessage } from './use-cases/messages/modify-message.ts';
import { ReplyInChannel } from './use-cases/messages/reply-in-channel.ts';
import { ReplyInRoom } from './use-cases/messages/reply-in-room.ts';
import { SendChannelMessage } from './use-cases/messages/send-channel-message.ts';
import { SendDirectMessage } from './use-cases/messages/send-direct-message.ts';
import { ShowTyping } from './use-cases/messages/show-typing.ts';
import { UploadFile } from './use-cases/messages/upload-file.ts';
import { EnterVoiceChannel } from './use-cases/presence/enter-voice-channel.ts';
import { LeaveVoiceChannel } from './use-cases/presence/leave-voice-channel.ts';
import { MoveToPlace } from './use-cases/presence/move-to-place.ts';
import { ShowOnline } from './use-cases/presence/show-online.ts';
import { ShowOnlineInPlaces } from './use-cases/presence/show-online-in-places.ts';
import { ShowVoice } from './use-cases/presence/show-voice.ts';
import type { ListenToPersonalEvents } from './use-cases/reading/listen-to-personal-events.ts';
import { MarkAsRead } from './use-cases/reading/mark-as-read.ts';
import { ReadHistory } from './use-cases/reading/read-history.ts';
import { ShowPlaces } from './use-cases/reading/show-places.ts';
import { ShowUnread } from './use-cases/reading/show-unread.ts';
import { Subscribe } from './use-cases/reading/subscribe.ts';
import { withQueryTelemetry, withTelemetry } from './with-telemetry.ts';

export interface UserCallParts {
  readonly announcer: Announcer;
  readonly broadcast: Broadcast;
  readonly clusterSessions: ClusterSessions;
  readonly feeds: Feeds;
  readonly files: FileStore;
  readonly ids: IdSource;
  readonly limits: Limits;
  readonly listenToPersonalEvents: ListenToPersonalEvents;
  readonly markers: ReadMarkers;
  readonly membership: Membership;
  readonly placesOfUser: PlacesOfUser;
  readonly rates: Rates;
  readonly readMarks: ReadMarks;
  readonly reporter: SessionReporter;
  readonly restrictions: Restrictions;
  readonly sessions: Sessions;
  readonly store: MessageStore;
  readonly subscribers: LocalSubscribers;
  readonly telemetry: Telemetry;
  readonly texts: TextChecks;
  readonly traces: TraceTable;
  readonly users: UserDirectory;
  readonly voice: VoiceBroadcast;
  readonly voiceSessions: VoiceSessions;
  readonly writer: MessageWriter;
}

/**
 * Puts the commands and queries of connected users together. The telemetry measures each of them.
 * A trace of a user or place sees queries and uploads here, and commands when they are stored.
 */
export function createUserCalls(parts: UserCallParts) {
  const { broadcast, feeds, files, limits, listenToPersonalEvents, markers, membership, placesOfUser, rates } = parts;
  const { readMarks, reporter, restrictions, sessions, store, subscribers, telemetry, texts, traces, users } = parts;
  const { voice, voiceSessions, writer } = parts;
  const asked = <I, O>(kind: string, useCase: { execute: Query<I, O> }): Query<I, O> =>
    watchedQuery(traces, kind, withQueryTelemetry(telemetry, useCase));
  const showOnline = new ShowOnline(parts);

  return {
    sendDirectMessage: withTelemetry(telemetry, new SendDirectMessage({ writer })),
    sendChannelMessage: withTelemetry(telemetry, new SendChannelMessage({ writer })),
    replyInRoom: withTelemetry(telemetry, new ReplyInRoom({ writer })),
    replyInChannel: withTelemetry(telemetry, new ReplyInChannel({ writer })),
    modifyMessage: withTelemetry(telemetry, new ModifyMessage({ writer, texts })),
    deleteMessage: withTelemetry(telemetry, new DeleteMessage({ writer, files, telemetry })),
    showTyping: withTelemetry(
      telemetry,
      new ShowTyping({ membership, rates, restrictions, subscribers, broadcast, users, telemetry }),
    ),
    moveToPlace: withTelemetry(telemetry, new MoveToPlace({ membership, rates, reporter, readMarks, sessions })),
    showVoice: withTelemetry(telemetry, new ShowVoice({ membership, rates, reporter, voice })),
    enterVoiceChannel: withTelemetry(
      telemetry,
      new EnterVoiceChannel({ membership, rates, reporter, readMarks, sessions, voice, voiceSessions }),
    ),
    leaveVoiceChannel: withTelemetry(telemetry, new LeaveVoiceChannel({ rates, reporter, voiceSessions })),
    subscribe: withTelemetry(telemetry, new Subscribe({ membership, feeds, window: limits.resumeEvents, telemetry })),
    markAsRead: withTelemetry(telemetry, new MarkAsRead({ membership, rates, readMarks })),
    listenToPersonalEvents: withTelemetry(telemetry, listenToPersonalEvents),
    ignorePersonalEvents: (caller, listener) => listenToPersonalEvents.end(caller, listener),

    uploadFile: watchedUpload(
      traces,
      withTelemetry(
        telemetry,
        new UploadFile({ writer, membership, rates, restrictions, texts, files, ids: parts.ids, limits, telemetry }),
      ),
    ),
    openFile: (key, range) => files.get(key, range),

    readHistory: asked('history', new ReadHistory({ membership, store, users, limits })),
    unread: asked('unread', new ShowUnread({ membership, markers, reporter, sessions })),
    places: asked('places', new ShowPlaces({ placesOfUser })),
    online: asked('online', showOnline),
    onlineInPlaces: asked('online', new ShowOnlineInPlaces({ showOnline })),
  } satisfies Partial<Application>;
}
