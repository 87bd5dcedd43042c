import { afterCommit } from './after-commit.ts';
import { followListChanges } from './after-list-change.ts';
import type { ApplicationPorts } from './application-ports.ts';
import { Broadcast } from './broadcast.ts';
import { BusListener } from './bus-listener.ts';
import { ClusterQuestions } from './cluster/cluster-questions.ts';
import { ServerView } from './cluster/server-view.ts';

import { createServiceCalls } from './create-service-calls.ts';
import { createUserCalls } from './create-user-calls.ts';
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
import { TextChecks } from './moderation/text-checks.ts';
import { Feeds } from './ordering/feeds.ts';
import { HeardNumbers } from './ordering/heard-numbers.ts';
import { Publisher } from './ordering/publisher.ts';
import { Sequencer } from './ordering/sequencer.ts';
import { Listeners } from './personal/listeners.ts';
import { UnreadNotices } from './personal/unread-notices.ts';
import { UserPlaces } from './personal/user-places.ts';
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
import { DataJobs } from './retention/data-jobs.ts';
import { ForgetEverywhere, ForgetHere } from './retention/forget-user.ts';
import type { RetentionRules } from './retention/remove-expired.ts';
import type { RunningApplication } from './running-application.ts';
import { ServerHealth } from './server-health.ts';
import { TraceTable } from './traces/trace-table.ts';
import { watchedCommits } from './traces/watched.ts';
import { ReplaceMembers } from './use-cases/membership/replace-members.ts';
import { ReportVoiceLeft } from './use-cases/presence/report-voice-left.ts';
import { UserConnected } from './use-cases/presence/user-connected.ts';
import { UserDisconnected } from './use-cases/presence/user-disconnected.ts';
import { CountUnread } from './use-cases/reading/count-unread.ts';
import { ListenToPersonalEvents } from './use-cases/reading/listen-to-personal-events.ts';
import { DeleteAnyMessage } from './use-cases/service/delete-any-message.ts';
import { LookIntoCluster } from './use-cases/service/look-into-cluster.ts';
import { Moderate } from './use-cases/service/moderate.ts';
import { SendInName } from './use-cases/service/send-in-name.ts';
import { TraceTraffic } from './use-cases/service/trace-traffic.ts';

/** Nothing is ever removed because of its age. */
const KEEP_ALL: RetentionRules = { days: null, fileDays: null };

/** Puts the application together. `server` is this server's id, unique in the cluster. */
export function createApplication(
  server: string,
  ports: ApplicationPorts,
  limits: Limits,
  rules: RetentionRules = KEEP_ALL,
): RunningApplication {
  const { bus, siblings = null, store, outbox, markers, reporter, directory, users, subscribers } = ports;
  const { clock, ids, random, telemetry } = ports;

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
    isAlone: () => [...clusterSessions.others].every((other) => siblings?.reaches(other)),
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
    spans,
  });
  const sequencer = new Sequencer({
    spans,
    store,
    clock,
    telemetry,
    afterCommit: watchedCommits(traces, afterCommit({ feeds, siblings, publisher, notifications, unreadNotices })),
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

  return {
    authenticate: (token, claimedUserId) => userConnected.authenticate(token, claimedUserId),
    userConnected: (connection) => userConnected.execute(connection),
    userDisconnected: (sessionId) => userDisconnected.execute(sessionId),
    refreshToken: (caller, token) => userConnected.refresh(caller, token),

    ...createUserCalls({
      announcer,
      broadcast,
      clusterSessions,
      feeds,
      files: ports.files,
      ids,
      limits,
      listenToPersonalEvents,
      markers,
      membership,
      placesOfUser,
      rates,
      readMarks,
      reporter,
      restrictions,
      sessions,
      store,
      subscribers,
      telemetry,
      texts,
      traces,
      users,
      voice,
      voiceSessions,
      writer,
    }),

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
      siblings?.listen((record) => listener.handleSibling(record));
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
