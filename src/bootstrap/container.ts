import 'reflect-metadata';
import { type DependencyContainer, instanceCachingFactory, container as root } from 'tsyringe';
import { createFileLinks } from '../adapters/http/file-links.ts';
import { JwtTokenIssuer } from '../adapters/jwt/token-issuer.ts';
import { JwtTokenVerifier } from '../adapters/jwt/token-verifier.ts';
import { MemoryDirectory } from '../adapters/memory/directory.ts';
import { MemoryMemberCache } from '../adapters/memory/member-cache.ts';
import { MemoryMessageBus } from '../adapters/memory/message-bus.ts';
import { NoNotifier } from '../adapters/memory/no-notifier.ts';
import { MemoryRoomDirectory } from '../adapters/memory/room-directory.ts';
import { MemorySessionReporter, type VoiceDeparture } from '../adapters/memory/session-reporter.ts';
import { MemoryUserDirectory } from '../adapters/memory/user-directory.ts';
import { StompSubscribers } from '../adapters/stomp/endpoint.ts';
import { LabelledDistributions, SECONDS } from '../adapters/support/figures.ts';
import { SystemClock } from '../adapters/system/clock.ts';
import { SystemIdSource } from '../adapters/system/id-source.ts';
import { TcpSessionReporter } from '../adapters/tcp/session-reporter.ts';
import { createApplication } from '../application/create-application.ts';
import { sharedRateLimits } from '../application/rates.ts';
import type { AdapterParts } from './adapters.ts';
import { connectHub } from './hub-connection.ts';
import { keptCopies } from './kept-copies.ts';
import { NeighbourWatch } from './neighbour-watch.ts';
import type { OptionalAdapters } from './optional-adapters.ts';
import { refusedBy } from './refused.ts';
import type { OpenedResources } from './resources.ts';
import { linkKeys } from './secrets.ts';
import { ServerState } from './server-state.ts';
import { startFailure } from './start-failure.ts';
import {
  BUS_CALLS,
  CACHE_CALLS,
  DIRECTORY_CALLS,
  FILE_CALLS,
  hasFailedBatch,
  MARKER_CALLS,
  MODERATION_CALLS,
  MODERATOR_CALLS,
  NOTIFIER_CALLS,
  OUTBOX_CALLS,
  PRESENCE_CALLS,
  STORE_CALLS,
  timedCalls,
  USER_CALLS,
} from './timed-calls.ts';
import { TOKENS, type Token } from './tokens.ts';

type Rest = NonNullable<OptionalAdapters['rest']>;

type Get = <T>(token: Token<T>) => T;
type Provide = <T>(token: Token<T>, make: (get: Get) => T) => void;

/**
 * Creates the container of one server. Each entry chooses the adapter of a port. A new adapter
 * needs one entry here (a bus: a case in `optional-adapters.ts`) and its variables.
 */
export function createContainer(opened: OpenedResources): DependencyContainer {
  const { server, config, keys, telemetry, lifecycle, outages, stores, broker, optional, spans } = opened;
  const { rest } = optional;
  const container = root.createChildContainer();
  const provide: Provide = <T>(token: Token<T>, make: (get: Get) => T): void => {
    const useFactory = instanceCachingFactory((from) => make((wanted) => from.resolve(wanted)));
    container.register<T>(token, { useFactory });
  };
  const watchOf = (get: Get, name: string, variable: string, address: string): NeighbourWatch => {
    const watch = new NeighbourWatch({
      name,
      variable,
      address,
      clock: get(TOKENS.clock),
      telemetry: telemetry.of(name),
      outages,
    });
    lifecycle.onStop(`${name} watch`, () => watch.stop());
    return watch;
  };
  const service = (
    get: Get,
    { RestService }: Rest,
    name: string,
    variable: string,
    url: string,
    timeoutMs?: number,
  ) => {
    const watch = watchOf(get, name, variable, url);
    const rest = new RestService({
      name,
      url,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      onDown: (error) => watch.down(error),
      onUp: () => watch.up(),
      spans,
    });
    lifecycle.onStop(name, () => rest.close());
    void rest.check();
    return rest;
  };

  provide(TOKENS.telemetry, () => telemetry);
  provide(TOKENS.clock, () => new SystemClock());
  provide(TOKENS.ids, () => new SystemIdSource());
  provide(TOKENS.spans, () => spans);

  const calls = new LabelledDistributions(SECONDS, 'part', 'operation', 'outcome');
  telemetry.metrics.read('chat_call_seconds', () => calls.samples());
  const store = config.store.kind === 'mongo' ? 'mongodb' : config.store.kind;

  provide(TOKENS.store, () => timedCalls(stores.store, store, STORE_CALLS, calls, hasFailedBatch));
  provide(TOKENS.outbox, () => timedCalls(stores.outbox, store, OUTBOX_CALLS, calls));
  provide(TOKENS.markers, () => timedCalls(stores.markers, store, MARKER_CALLS, calls));
  provide(TOKENS.moderationStore, () => timedCalls(stores.moderation, store, MODERATION_CALLS, calls));
  provide(TOKENS.serverState, () => {
    const state = new ServerState();
    lifecycle.onStop('server state', async () => state.stop());
    return state;
  });
  provide(TOKENS.files, () => timedCalls(opened.files, 'files', FILE_CALLS, calls));

  provide(TOKENS.hub, (get) =>
    optional.hub === null
      ? null
      : connectHub(optional.hub, {
          server,
          telemetry: telemetry.of('hub'),
          lifecycle,
          outages,
          onVoiceLeft: (left) => void get(TOKENS.application).voiceLeft({ type: 'out', ...left }),
        }),
  );

  provide(TOKENS.bus, (get) => {
    const shared = optional.createBus?.({
      serverId: server,
      telemetry: (name) => telemetry.of(name),
      metrics: telemetry.metrics,
      lagFrom: (lag) => get(TOKENS.serverState).lagFrom(lag),
      onRefused: (error) => lifecycle.fail(startFailure({ variable: 'KAFKA_BROKERS' }, error)),
    });
    if (shared !== undefined) return timedCalls(shared, config.bus.kind, BUS_CALLS, calls);
    const bus = telemetry.of('bus');
    return get(TOKENS.hub)?.createBus(stores.storedEvents, bus) ?? new MemoryMessageBus(broker, server, bus);
  });

  // With another bus, the hub carries all records at once.
  provide(TOKENS.siblings, (get) =>
    config.bus.kind === 'memory' ? null : (get(TOKENS.hub)?.createSiblings() ?? null),
  );

  provide(TOKENS.memberCache, (get) => {
    if (config.memberCache.kind === 'memory' || optional.redis === null) {
      return get(TOKENS.hub)?.createMemberCache() ?? new MemoryMemberCache();
    }
    const log = telemetry.of('redis');
    const cache = new optional.redis.RedisMemberCache({
      location: config.memberCache.location,
      tls: config.memberCache.tls,
      onDown: (error) => {
        const refused = refusedBy('REDIS_URL', error);
        log.log('warn', 'Redis does not answer', {
          variable: refused?.variable ?? 'REDIS_URL',
          error: refused?.text ?? error,
        });
        outages.began('redis', refused?.text ?? error);
      },
      onUp: () => {
        log.log('info', 'Redis answers again');
        outages.ended('redis');
      },
      onRefused: (error) => {
        log.log('warn', 'Redis refuses a command', { variable: 'REDIS_URL', error });
        outages.happened('redis', error);
      },
    });
    lifecycle.onStop('member cache', () => cache.close());
    return timedCalls(cache, 'redis', CACHE_CALLS, calls);
  });

  provide(TOKENS.sharedRates, (get) => {
    const limits = sharedRateLimits(config.limits);
    if (limits === null) return null;
    if (config.memberCache.kind === 'memory' || optional.redis === null) {
      return get(TOKENS.hub)?.createSharedRates() ?? null;
    }
    const { location, tls } = config.memberCache;
    const rates = new optional.redis.RedisSharedRates({ location, tls, limits });
    lifecycle.onStop('shared rates', () => rates.close());
    return rates;
  });

  provide(TOKENS.reporter, (get) => {
    if (config.presence.kind === 'embedded') {
      const onVoiceLeft = (left: VoiceDeparture) => void get(TOKENS.application).voiceLeft({ type: 'out', ...left });
      return get(TOKENS.hub)?.createReporter() ?? new MemorySessionReporter({ onVoiceLeft });
    }
    const { host, port, tls } = config.presence;
    const watch = watchOf(get, 'presence', 'PRESENCE_URL', `${host}:${port}`);
    const reporter = new TcpSessionReporter({
      host,
      port,
      tls,
      onLost: (error) => watch.down(error),
      onReady: () => watch.up(),
    });
    lifecycle.onStop('presence', () => reporter.close());
    void reporter.check();
    return timedCalls(reporter, 'presence', PRESENCE_CALLS, calls);
  });

  provide(TOKENS.world, () => {
    const file = [config.directory, config.users].find((source) => source.kind === 'file');
    if (file === undefined) return new MemoryDirectory({ world: { users: {}, rooms: {}, communities: {} } });
    const onError = (error: Error) =>
      telemetry.log('error', 'the directory file has changed and cannot be read; the last version stays in use', {
        error,
      });
    return new MemoryDirectory(file.path === null ? { onError } : { path: file.path, onError });
  });
  provide(TOKENS.directory, (get) =>
    config.directory.kind === 'file' || rest === null
      ? new MemoryRoomDirectory(get(TOKENS.world))
      : timedCalls(
          new rest.RestRoomDirectory(service(get, rest, 'community', 'COMMUNITY_URL', config.directory.url)),
          'community',
          DIRECTORY_CALLS,
          calls,
        ),
  );
  provide(TOKENS.users, (get) =>
    config.users.kind === 'rest' && rest !== null
      ? timedCalls(
          new rest.RestUserDirectory(service(get, rest, 'user', 'USER_URL', config.users.url)),
          'user',
          USER_CALLS,
          calls,
        )
      : new MemoryUserDirectory(get(TOKENS.world)),
  );
  provide(TOKENS.notifier, (get) =>
    config.notifications.kind === 'rest' && rest !== null
      ? timedCalls(
          new rest.RestNotifier(service(get, rest, 'notification', 'NOTIFICATION_URL', config.notifications.url)),
          'notification',
          NOTIFIER_CALLS,
          calls,
        )
      : new NoNotifier(),
  );

  provide(TOKENS.moderation, (get) => {
    const { moderator } = config;
    if (moderator.kind === 'none' || rest === null) return null;
    const { RestModerator, MODERATOR_TIMEOUT_MS } = rest;
    const client = service(get, rest, 'moderator', 'MODERATOR_URL', moderator.url, MODERATOR_TIMEOUT_MS);
    const asked = timedCalls(new RestModerator(client), 'moderator', MODERATOR_CALLS, calls);
    return { moderator: asked, whenAway: moderator.whenAway };
  });

  provide(TOKENS.tokens, () => new JwtTokenVerifier(keys));
  provide(TOKENS.issuer, () => new JwtTokenIssuer(keys));
  provide(TOKENS.fileLinks, (get) =>
    createFileLinks({ keys: linkKeys(keys), hours: config.http.fileUrlHours, clock: get(TOKENS.clock) }),
  );
  provide(TOKENS.subscribers, (get) => {
    const { link } = get(TOKENS.fileLinks);
    return new StompSubscribers({
      limits: config.limits,
      fileLink: link,
      ids: get(TOKENS.ids),
      clock: get(TOKENS.clock),
      spans,
    });
  });

  provide(TOKENS.application, (get) =>
    createApplication(
      server,
      {
        bus: get(TOKENS.bus),
        store: get(TOKENS.store),
        outbox: get(TOKENS.outbox),
        markers: get(TOKENS.markers),
        moderationStore: get(TOKENS.moderationStore),
        moderation: get(TOKENS.moderation),
        serverFacts: get(TOKENS.serverState),
        data: stores.data,
        jobs: stores.jobs,
        reporter: get(TOKENS.reporter),
        directory: get(TOKENS.directory),
        memberCache: get(TOKENS.memberCache),
        sharedRates: get(TOKENS.sharedRates),
        siblings: get(TOKENS.siblings),
        tokens: get(TOKENS.tokens),
        users: get(TOKENS.users),
        notifier: get(TOKENS.notifier),
        files: get(TOKENS.files),
        subscribers: get(TOKENS.subscribers).port,
        clock: get(TOKENS.clock),
        ids: get(TOKENS.ids),
        random: Math.random,
        telemetry: get(TOKENS.telemetry),
        spans,
        originals: stores.firstGeneration,
      },
      config.limits,
      { ...config.retention, copies: keptCopies(config) },
    ),
  );
  replaceAdapters(opened, provide);
  return container;
}

/** Registers the foreign adapters. The container resolves the last registration of a token. */
function replaceAdapters({ server, telemetry, lifecycle, foreign }: OpenedResources, provide: Provide): void {
  const use = <T>(token: Token<T>, name: string, make: ((parts: AdapterParts) => T) | undefined): void => {
    if (make === undefined) return;
    const onStop = (what: string, close: () => Promise<void>): void => lifecycle.onStop(what, close);
    provide(token, () => make({ serverId: server, telemetry: telemetry.of(name), onStop }));
  };
  use(TOKENS.bus, 'bus', foreign.bus);
  use(TOKENS.memberCache, 'member-cache', foreign.memberCache);
  use(TOKENS.reporter, 'presence', foreign.reporter);
  use(TOKENS.directory, 'community', foreign.directory);
  use(TOKENS.users, 'user', foreign.users);
  use(TOKENS.tokens, 'tokens', foreign.tokens);
}
