import 'reflect-metadata';
import { type DependencyContainer, instanceCachingFactory, container as root } from 'tsyringe';
import { createFileLinks } from '../adapters/http/file-links.ts';
import type { JwtKeyOptions } from '../adapters/jwt/signing-keys.ts';
import { JwtTokenIssuer } from '../adapters/jwt/token-issuer.ts';
import { JwtTokenVerifier } from '../adapters/jwt/token-verifier.ts';
import { MemoryDirectory } from '../adapters/memory/directory.ts';
import { MemoryMemberCache } from '../adapters/memory/member-cache.ts';
import type { MemoryBroker } from '../adapters/memory/memory-broker.ts';
import { MemoryMessageBus } from '../adapters/memory/message-bus.ts';
import { NoNotifier } from '../adapters/memory/no-notifier.ts';
import { MemoryRoomDirectory } from '../adapters/memory/room-directory.ts';
import { MemorySessionReporter } from '../adapters/memory/session-reporter.ts';
import { MemoryUserDirectory } from '../adapters/memory/user-directory.ts';
import { StompSubscribers } from '../adapters/stomp/endpoint.ts';
import { SystemClock } from '../adapters/system/clock.ts';
import { SystemIdSource } from '../adapters/system/id-source.ts';
import type { SystemTelemetry } from '../adapters/system/telemetry.ts';
import { TcpSessionReporter } from '../adapters/tcp/session-reporter.ts';
import { createApplication } from '../application/create-application.ts';
import type { FileStore } from '../application/ports/file-store.ts';
import type { AdapterParts, ForeignAdapters } from './adapters.ts';
import type { Config } from './config/config.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { OptionalAdapters } from './optional-adapters.ts';
import { linkKeys } from './secrets.ts';
import type { Stores } from './stores.ts';
import { TOKENS, type Typed } from './tokens.ts';

type Rest = NonNullable<OptionalAdapters['rest']>;

/** The parts that are opened before the container is created. */
export interface Opened {
  readonly server: string;
  readonly config: Config;
  readonly keys: JwtKeyOptions;
  readonly telemetry: SystemTelemetry;
  readonly lifecycle: Lifecycle;
  readonly stores: Stores;
  readonly files: FileStore;
  readonly broker: MemoryBroker;
  readonly optional: OptionalAdapters;
  readonly foreign: ForeignAdapters;
}

type Get = <T>(token: Typed<T>) => T;
type Provide = <T>(token: Typed<T>, make: (get: Get) => T) => void;

/**
 * Creates the container of one server. Each entry chooses the adapter of a port. A new adapter
 * needs one entry here (a bus: a case in `optional-adapters.ts`) and its variables.
 */
export function createContainer(opened: Opened): DependencyContainer {
  const { server, config, keys, telemetry, lifecycle, stores, broker, optional } = opened;
  const { rest } = optional;
  const container = root.createChildContainer();
  const provide: Provide = <T>(token: Typed<T>, make: (get: Get) => T): void => {
    const useFactory = instanceCachingFactory((from) => make((wanted) => from.resolve(wanted)));
    container.register<T>(token, { useFactory });
  };
  const service = ({ RestService }: Rest, name: string, url: string) => {
    const log = telemetry.of(name);
    const rest = new RestService({
      name,
      url,
      onDown: (reason) => log.log('warn', 'the service is away', { reason }),
      onUp: () => log.log('info', 'the service is back'),
    });
    lifecycle.onStop(name, () => rest.close());
    return rest;
  };

  provide(TOKENS.telemetry, () => telemetry);
  provide(TOKENS.clock, () => new SystemClock());
  provide(TOKENS.ids, () => new SystemIdSource());

  provide(TOKENS.store, () => stores.store);
  provide(TOKENS.outbox, () => stores.outbox);
  provide(TOKENS.markers, () => stores.markers);
  provide(TOKENS.files, () => opened.files);

  provide(TOKENS.bus, () => {
    const shared = optional.createBus?.({ serverId: server, telemetry: (name) => telemetry.of(name) });
    return shared ?? new MemoryMessageBus(broker, server, telemetry.of('bus'));
  });

  provide(TOKENS.memberCache, () => {
    if (config.memberCache.kind === 'memory' || optional.redis === null) return new MemoryMemberCache();
    const log = telemetry.of('redis');
    const cache = new optional.redis.RedisMemberCache({
      url: config.memberCache.url.reveal(),
      onDown: (reason) => log.log('warn', 'redis is away', { reason }),
      onUp: () => log.log('info', 'redis is back'),
    });
    lifecycle.onStop('member cache', () => cache.close());
    return cache;
  });

  provide(TOKENS.reporter, (get) => {
    if (config.presence.kind === 'embedded') {
      return new MemorySessionReporter({
        onVoiceLeft: (left) => void get(TOKENS.application).voiceLeft({ type: 'out', ...left }),
      });
    }
    const log = telemetry.of('presence');
    // The reporter has several connections, and each reconnects. The state is logged once for all.
    let away = true;
    const reporter = new TcpSessionReporter({
      ...config.presence,
      onLost: (reason) => {
        if (!away) log.log('warn', 'presence is away', { reason });
        away = true;
      },
      onReady: () => {
        if (away) log.log('info', 'presence is reachable');
        away = false;
      },
    });
    lifecycle.onStop('presence', () => reporter.close());
    return reporter;
  });

  provide(TOKENS.world, () => {
    const file = [config.directory, config.users].find((source) => source.kind === 'file');
    if (file === undefined) return new MemoryDirectory({ world: { users: {}, rooms: {}, communities: {} } });
    const onError = (error: Error) => telemetry.log('error', 'the directory file is not read', { error });
    return new MemoryDirectory(file.path === null ? { onError } : { path: file.path, onError });
  });
  provide(TOKENS.directory, (get) =>
    config.directory.kind === 'file' || rest === null
      ? new MemoryRoomDirectory(get(TOKENS.world))
      : new rest.RestRoomDirectory(service(rest, 'community', config.directory.url)),
  );
  provide(TOKENS.users, (get) =>
    config.users.kind === 'rest' && rest !== null
      ? new rest.RestUserDirectory(service(rest, 'user', config.users.url))
      : new MemoryUserDirectory(get(TOKENS.world)),
  );
  provide(TOKENS.notifier, () =>
    config.notifications.kind === 'rest' && rest !== null
      ? new rest.RestNotifier(service(rest, 'notification', config.notifications.url))
      : new NoNotifier(),
  );

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
        reporter: get(TOKENS.reporter),
        directory: get(TOKENS.directory),
        memberCache: get(TOKENS.memberCache),
        tokens: get(TOKENS.tokens),
        users: get(TOKENS.users),
        notifier: get(TOKENS.notifier),
        files: get(TOKENS.files),
        subscribers: get(TOKENS.subscribers).port,
        clock: get(TOKENS.clock),
        ids: get(TOKENS.ids),
        random: Math.random,
        telemetry: get(TOKENS.telemetry),
      },
      config.limits,
    ),
  );
  replaceAdapters(opened, provide);
  return container;
}

/** Registers the foreign adapters. The container resolves the last registration of a token. */
function replaceAdapters({ server, telemetry, lifecycle, foreign }: Opened, provide: Provide): void {
  const use = <T>(token: Typed<T>, name: string, make: ((parts: AdapterParts) => T) | undefined): void => {
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
