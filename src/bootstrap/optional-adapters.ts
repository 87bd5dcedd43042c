import type { Config } from './config/config.ts';

/** Adapters whose libraries are large, each loaded only where the configuration asks for it: together they would cost an embedded server 70 MB. */
export async function loadOptionalAdapters(config: Config) {
  const asksServices = [config.directory, config.users, config.notifications].some(({ kind }) => kind === 'rest');
  return {
    kafka: config.bus.kind === 'kafka' ? await import('../adapters/kafka/message-bus.ts') : null,
    redis: config.memberCache.kind === 'redis' ? await import('../adapters/redis/member-cache.ts') : null,
    rest: asksServices ? await loadRest() : null,
  };
}

export type OptionalAdapters = Awaited<ReturnType<typeof loadOptionalAdapters>>;

async function loadRest() {
  const { RestService } = await import('../adapters/rest/rest-service.ts');
  const { RestRoomDirectory } = await import('../adapters/rest/room-directory.ts');
  const { RestUserDirectory } = await import('../adapters/rest/user-directory.ts');
  const { RestNotifier } = await import('../adapters/rest/notifier.ts');
  return { RestService, RestRoomDirectory, RestUserDirectory, RestNotifier };
}
