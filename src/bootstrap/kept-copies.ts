import type { Config } from './config/config.ts';

/** Says which parts keep copies of removed data, and until when. */
export function keptCopies({ bus, store, memberCache, directory, users }: Config): string[] {
  const copies: string[] = [];
  if (bus.kind === 'kafka') {
    copies.push('Kafka: records of the last days, until the retention of their topics ends (retention.ms)');
  }
  copies.push(
    store.kind === 'mongo'
      ? 'MongoDB: the oplog until it is overwritten, and its files until their space is used again'
      : 'SQLite: chat.db-wal for a minute, and rare unused parts of pages until VACUUM',
  );
  if (memberCache.kind === 'redis') {
    copies.push('Redis: member lists with the user id, until the community service changes them or for 14 days');
  }
  if (directory.kind === 'rest' || users.kind === 'rest') {
    copies.push('the community, user and notification services: their own data of the user');
  }
  copies.push('each server: names and recent events in memory, until they are replaced or it restarts');
  copies.push('bans and mutes of the user: until they are lifted');
  copies.push('log lines with the user id, and backups: as long as you keep them');
  return copies;
}
