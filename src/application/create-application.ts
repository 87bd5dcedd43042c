import { afterCommit } from './after-commit.ts';
import { followListChanges } from './after-list-change.ts';
import type { Application } from './application.ts';
import { Broadcast } from './broadcast.ts';
import { BusListener } from './bus-listener.ts';
import { ClusterQuestions } from './cluster/cluster-questions.ts';
import { ServerView } from './cluster/server-view.ts';
import type { Query } from './commands.ts';
import { createServiceCalls } from './create-service-calls.ts';
import type { Adoption, AdoptionParts } from './first-generation/adoption.ts';
import type { Limits } from './limits.ts';
import { ChannelAccess } from './membership/channel-access.ts';
import { LookUpLimits } from './membership/look-up-limits.ts';
import { MemberLists } from './membership/member-lists.ts';
import { Membership } from './membership/membership.ts';
import { PlacesOfUser } from './membership/places-of-user.ts';
import { MessageWriter } from './messages/message-writer.ts';
import { Notifications } from './messages/notifications.ts';
import { ModerationOrders } from './moderation/moderation-orders.ts';
import { Restrictions } from './moderation/restrictions.ts';
import { type ModeratorChoice, TextChecks } from './moderation/text-checks.ts';
import { Feeds } from './ordering/feeds.ts';
import { HeardNumbers } from './ordering/heard-numbers.ts';
import { Publisher } from './ordering/publisher.ts';
import { Sequencer } from './ordering/sequencer.ts';
import { Listeners } from './personal/listeners.ts';
import { UnreadNotices } from './personal/unread-notices.ts';
import { UserPlaces } from './personal/user-places.ts';
import type { Clock } from './ports/clock.ts';
import type { FileStore } from './ports/file-store.ts';
import type { IdSource } from './ports/id-source.ts';
import type { JobStore } from './ports/job-store.ts';
import type { LocalSubscribers } from './ports/local-subscribers.ts';
import type { MemberCache } from './ports/member-cache.ts';
import type { MessageBus } from './ports/message-bus.ts';
import type { MessageStore } from './ports/message-store.ts';
import type { ModerationStore } from './ports/moderation-store.ts';
import type { Notifier } from './ports/notifier.ts';
import type { Outbox } from './ports/outbox.ts';
import type { Random } from './ports/random.ts';
import type { ReadMarkers } from './ports/read-markers.ts';
import type { RoomDirectory } from './ports/room-directory.ts';
import type { ServerFacts } from './ports/server-facts.ts';
import type { SessionReporter } from './ports/session-reporter.ts';
import type { SharedRates } from './ports/shared-rates.ts';
import type { Spans } from './ports/spans.ts';
import type { StoredData } from './ports/stored-data.ts';
import type { Telemetry } from './ports/telemetry.ts';
import type { TokenVerifier } from './ports/token-verifier.ts';
import type { UserDirectory } from './ports/user-directory.ts';
import { Announcer } from './presence/announcer.ts';
import { ClusterSessions } from './presence/cluster-sessions.ts';
import { Logouts } from './presence/logouts.ts';
import { PresenceFanOut } from './presence/presence-fan-out.ts';
import { SessionReactions } from './presence/session-reactions.ts';
import { Sessions } from './presence/sessions.ts';
import { VoiceBroadcast } from './presence/voice-broadcast.ts';
import { VoiceSessions } from './presence/voice-sessions.ts';
import { Rates } from './rates.ts';
import { ReadMarks } from './read-marks.ts';
import { type DataJobFigures, DataJobs } from './retention/data-jobs.ts';
import { ForgetEverywhere, ForgetHere } from './retention/forget-user.ts';
import type { RetentionRules } from './retention/remove-expired.ts';
import { ServerHealth } from './server-health.ts';
import { TraceTable } from './traces/trace-table.ts';
import { watchedCommits, watchedQuery, watchedUpload } from './traces/watched.ts';
import { ReplaceMembers } from './use-cases/membership/replace-members.ts';
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
import { ReportVoiceLeft } from './use-cases/presence/report-voice-left.ts';
import { ShowOnline } from './use-cases/presence/show-online.ts';
import { ShowOnlineInPlaces } from './use-cases/presence/show-online-in-places.ts';
import { ShowVoice } from './use-cases/presence/show-voice.ts';
import { UserConnected } from './use-cases/presence/user-connected.ts';
import { UserDisconnected } from './use-cases/presence/user-disconnected.ts';
import { CountUnread } from './use-cases/reading/count-unread.ts';
import { ListenToPersonalEvents } from './use-cases/reading/listen-to-personal-events.ts';
import { MarkAsRead } from './use-cases/reading/mark-as-read.ts';
import { ReadHistory } from './use-cases/reading/read-history.ts';
import { ShowPlaces } from './use-cases/reading/show-places.ts';
import { ShowUnread } from './use-cases/reading/show-unread.ts';
import { Subscribe } from './use-cases/reading/subscribe.ts';
import { DeleteAnyMessage } from './use-cases/service/delete-any-message.ts';
import { LookIntoCluster } from './use-cases/service/look-into-cluster.ts';
import { Moderate } from './use-cases/service/moderate.ts';
import { SendInName } from './use-cases/service/send-in-name.ts';
import { TraceTraffic } from './use-cases/service/trace-traffic.ts';
import { withQueryTelemetry, withTelemetry } from './with-telemetry.ts';

/** The ports that the application needs. */
export interface Ports {
  readonly bus: MessageBus;
  readonly moderationStore: ModerationStore;
  /** Null: there is no moderator. */
  readonly moderation: ModeratorChoice | null;
  readonly serverFacts: ServerFacts;
  readonly store: MessageStore;
  readonly outbox: Outbox;
  readonly markers: ReadMarkers;
  readonly data: StoredData;
  readonly jobs: JobStore;
  readonly reporter: SessionReporter;
  readonly directory: RoomDirectory;
  readonly memberCache: MemberCache;
  /** Null: each server counts for itself. */
  readonly sharedRates: SharedRates | null;
  readonly tokens: TokenVerifier;
  readonly users: UserDirectory;
  readonly notifier: Notifier;
  readonly files: FileStore;
  readonly subscribers: LocalSubscribers;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** Null or missing: commands are not traced. */
  readonly spans?: Spans | null;
  /** Null where no original server runs beside these. */
  readonly originals: FirstGeneration | null;
}

/** Takes the events of original servers. A part of its own, so that others do not load it. */
export interface FirstGeneration {
  adoptionOf(parts: AdoptionParts): Adoption;
}

/** The present values of the application, for the metrics. */
export interface ApplicationFigures {
  /** Live servers that this one knows, itself included. */
  readonly servers: number;
  /** Users with a session on this server. */
  readonly usersHere: number;
  /** Users with a session on any server. */
  readonly users: number;
  /** Stored events that wait in this process for the bus. */
  readonly waitingEvents: number;
  /** Batches of all servers that have waited for the bus for some seconds; at most 200. */
  readonly outboxBatches: number;
  readonly jobs: DataJobFigures;
}

/** The application with its life cycle, which bootstrap controls. */
export interface RunningApplication extends Application {
  figures(): ApplicationFigures;
  /** Joins the bus. Resolves when this server hears every record that is written from then on. */
  start(): Promise<void>;
  /**
   * Finishes the work that was accepted, after the clients are gone: stores and publishes the
   * waiting events and reports the ended sessions to the presence service and the other servers.
   * Takes at most `withinMs` milliseconds. Bootstrap closes the bus and the store after this.
   */
  stop(withinMs: number): Promise<void>;
}

/** Nothing is ever removed because of its age. */
const KEEP_ALL: RetentionRules = { days: null, fileDays: null };

/** Puts the application together. `server` is this server's id, unique in the cluster. */
export function createApplication(
  server: string,
  ports: Ports,
  limits: Limits,
  rules: RetentionRules = KEEP_ALL,
): RunningApplication {
  const { bus, store, outbox, markers, reporter, directory, users, subscribers, clock, ids, random, telemetry } = ports;

  const sessions = new Sessions();
  const traces = new TraceTable({ clock, subscribers });
  const rates = new Rates({
    limits,
    clock,
    shared: ports.sharedRates,
    isElsewhere: (userId) => clusterSessions.isElsewhere(userId),
  });
  const restrictions = new Restrictions({ clock });
  const broadcast = new Broadcast({ bus, telemetry });
  const health = new ServerHealth({ bus, clock, telemetry });

  const orders = new ModerationOrders({
    server,
    store: ports.moderationStore,
    restrictions,
    sessions,
    broadcast,
    clock,
    telemetry,
  });
  const texts = new TextChecks({
    restrictions,
    moderation: ports.moderation,
    turns: ports.moderationStore,
    store,
    limits,
    telemetry,
  });

  const lookUps = new LookUpLimits({ clock, telemetry });
  const { listStalenessSeconds } = limits;
  const lists = new MemberLists({
    directory,
    cache: ports.memberCache,
    limits: lookUps,
    clock,
    random,
    telemetry,
    subscribers,
    stalenessSeconds: listStalenessSeconds,
  });
  const channels = new ChannelAccess({
    directory,
    lists,
    limits: lookUps,
    clock,
    random,
    telemetry,
    subscribers,
    stalenessSeconds: limits.channelStalenessSeconds,
    listStalenessSeconds,
  });
  const placesOfUser = new PlacesOfUser({ directory, lists, channels });
  const membership = new Membership({ lists, channels, clock, subscribers, listStalenessSeconds });

  const presence = new PresenceFanOut({ subscribers, clock, telemetry });
  const announcer = new Announcer({
    directory,
    clock,
    telemetry,
    isReturning: () => clusterSessions.isReturning,
    send: (events) => {
      for (const event of events) presence.show(event);
      void broadcast.send(...events);
    },
  });
  const logouts = new Logouts({
    reporter,
    telemetry,
    markRead: (reader, places) => readMarks.mark(reader, places),
  });
  const reactions = new SessionReactions({ sessions, reporter, announcer, logouts });
  const clusterSessions = new ClusterSessions({
    server,
    clock,
    telemetry,
    send: (records) => broadcast.send(...records),
    listener: reactions,
  });

  const listeners = new Listeners();
  const unreadNotices = new UnreadNotices({ listeners, markers, reporter, clock, telemetry });
  const userPlaces = new UserPlaces({
    listeners,
    clock,
    random,
    telemetry,
    placesOf: (userId) => placesOfUser.keys(userId),
  });
  const readMarks = new ReadMarks({ markers, listeners, unreadNotices, clusterSessions, broadcast, clock });

  const feeds = new Feeds({
    store,
    clock,
    telemetry,
    subscribers,
    unheard: (place, seq) => health.unheard(place, seq),
    window: limits.resumeEvents,
  });
  const heardNumbers = new HeardNumbers(clock);
  const spans = ports.spans ?? null;
  const publisher = new Publisher({
    spans,
    bus,
    outbox,
    clock,
    telemetry,
    random,
    recovered: ({ place, events }) => {
      feeds.stored(place, events);
      unreadNotices.stored(place, events);
    },
    heard: heardNumbers,
    isAlone: () => clusterSessions.isAlone,
    rank: () => clusterSessions.rank,
    outboxRead: (batches, isComplete) => health.outboxRead(batches, isComplete),
    outboxFailed: (error) => health.outboxFailed(error),
  });
  const notifications = new Notifications({
    notifier: ports.notifier,
    reporter,
    membership,
    store,
    clock,
    random,
    telemetry,
  });
  const sequencer = new Sequencer({
    spans,
    store,
    clock,
    telemetry,
    afterCommit: watchedCommits(traces, afterCommit({ feeds, publisher, notifications, unreadNotices })),
  });
  const forgetHere = new ForgetHere({
    sessions,
    users,
    lists,
    channels,
    memberCache: ports.memberCache,
    restrictions,
    notifications,
    feeds,
  });
  const serverView = new ServerView({ sessions, subscribers, facts: ports.serverFacts, forgetHere, traces });
  const questions = new ClusterQuestions({
    server,
    broadcast,
    clock,
    ids,
    others: () => clusterSessions.others,
    answer: (question) => serverView.answer(question),
  });
  const adoption =
    ports.originals?.adoptionOf({ feeds, listeners, unreadNotices, files: ports.files, clock, telemetry }) ?? null;
  const listener = new BusListener({
    adoption,
    server,
    sequencer,
    heardNumbers,
    feeds,
    lists,
    clusterSessions,
    announcer,
    presence,
    reactions,
    orders,
    questions,
    listeners,
    unreadNotices,
    readMarks,
    subscribers,
    telemetry,
    clock,
  });

  const voice = new VoiceBroadcast({ subscribers, broadcast });
  const voiceSessions = new VoiceSessions({ reporter, telemetry });
  followListChanges({ lists, channels, userPlaces, voiceSessions });

  const writer = new MessageWriter({
    sequencer,
    membership,
    users,
    rates,
    restrictions,
    texts,
    limits,
    clock,
    ids,
  });

  const userConnected = new UserConnected({
    tokens: ports.tokens,
    sessions,
    clusterSessions,
    reporter,
    users,
    limits,
    restrictions,
    clock,
    telemetry,
  });
  const userDisconnected = new UserDisconnected({ sessions, clusterSessions, logouts, voiceSessions });
  const replaceMembers = new ReplaceMembers({ lists, broadcast });
  const reportVoiceLeft = new ReportVoiceLeft({ reporter, voice });
  const countUnread = new CountUnread({ markers });
  const listenToPersonalEvents = new ListenToPersonalEvents({ listeners, places: userPlaces, rates });
  const deleteAnyMessage = new DeleteAnyMessage({ writer, files: ports.files, telemetry });
  const dataJobs = new DataJobs({
    server,
    rules,
    data: ports.data,
    jobs: ports.jobs,
    store,
    restrictions,
    files: ports.files,
    clock,
    ids,
    telemetry,
    deleteMessage: ({ place, id }) => deleteAnyMessage.executeIfThere({ place, id }),
    forgetEverywhere: new ForgetEverywhere({
      questions,
      memberCache: ports.memberCache,
      moderationStore: ports.moderationStore,
    }),
    forgetRecent: (place) => feeds.get(place)?.forgetRecent(),
  });
  const traceTraffic = new TraceTraffic({ table: traces, questions, clock, ids });
  const service = createServiceCalls({
    sendInName: new SendInName({ writer, membership }),
    deleteAnyMessage,
    dataJobs,
    moderate: new Moderate({ orders, restrictions, clusterSessions, clock }),
    lookIntoCluster: new LookIntoCluster({ questions, clock }),
    traceTraffic,
  });
  const asked = <I, O>(kind: string, useCase: { execute: Query<I, O> }): Query<I, O> =>
    watchedQuery(traces, kind, withQueryTelemetry(telemetry, useCase));
  const showOnline = new ShowOnline({ membership, clusterSessions, announcer });

  return {
    authenticate: (token, claimedUserId) => userConnected.authenticate(token, claimedUserId),
    userConnected: (connection) => userConnected.execute(connection),
    userDisconnected: (sessionId) => userDisconnected.execute(sessionId),
    refreshToken: (caller, token) => userConnected.refresh(caller, token),

    sendDirectMessage: withTelemetry(telemetry, new SendDirectMessage({ writer })),
    sendChannelMessage: withTelemetry(telemetry, new SendChannelMessage({ writer })),
    replyInRoom: withTelemetry(telemetry, new ReplyInRoom({ writer })),
    replyInChannel: withTelemetry(telemetry, new ReplyInChannel({ writer })),
    modifyMessage: withTelemetry(telemetry, new ModifyMessage({ writer, texts })),
    deleteMessage: withTelemetry(telemetry, new DeleteMessage({ writer, files: ports.files, telemetry })),
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
        new UploadFile({ writer, membership, rates, restrictions, texts, files: ports.files, ids, limits, telemetry }),
      ),
    ),
    openFile: (key, range) => ports.files.get(key, range),

    readHistory: asked('history', new ReadHistory({ membership, store, users, limits })),
    unread: asked('unread', new ShowUnread({ membership, markers, reporter, sessions })),
    places: asked('places', new ShowPlaces({ placesOfUser })),
    online: asked('online', showOnline),
    onlineInPlaces: asked('online', new ShowOnlineInPlaces({ showOnline })),

    replaceMembers: (place, members) => replaceMembers.execute(place, members),
    countUnread: (userId, roomIds) => countUnread.execute(userId, roomIds),
    voiceLeft: (left) => reportVoiceLeft.execute(left),
    callLeft: async (left) => voice.send({ kind: 'call-left', ...left }),

    service,

    health: () => health.read(),
    figures: () => ({
      servers: clusterSessions.servers,
      usersHere: clusterSessions.usersHere,
      users: clusterSessions.users,
      waitingEvents: publisher.waitingEvents,
      outboxBatches: publisher.outboxBatches,
      jobs: dataJobs.figures,
    }),

    start: async () => {
      await orders.start();
      await bus.start((record) => {
        health.heard();
        listener.handle(record);
      });
      health.start();
      publisher.start();
      feeds.start();
      membership.start();
      clusterSessions.start();
      dataJobs.start();
    },
    stop: async (withinMs) => {
      const late = new Promise<void>((resolve) => clock.after(withinMs, resolve));
      const done = (async () => {
        await dataJobs.stop();
        await adoption?.stop();
        await sequencer.idle();
        await Promise.all([logouts.settled(), clusterSessions.stop()]);
        await publisher.stop();
      })();
      await Promise.race([done, late]);
      traceTraffic.stop();
      notifications.stop();
      membership.stop();
      userPlaces.stop();
      orders.stop();
      feeds.stop();
      health.stop();
    },
  };
}
