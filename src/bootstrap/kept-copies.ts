import type { Config } from './config/config.ts';

/** Says which parts keep copies of removed data, and until when. */
export function keptCopies({ bus, store, directory, users }: Config): string[] {
  const copies: string[] = [];
  if (bus.kind === 'kafka') {
    copies.push('Kafka: records of the last days, until the retention of their topics ends (retention.ms)');
  }
  copies.push(
    store.kind === 'mongo'
      ? 'MongoDB: the oplog until it is overwritten, and its files until their space is used again'
      : 'SQLite: chat.db-wal for a minute, and rare unused parts of pages until VACUUM',
  );
  if (directory.kind === 'rest' || users.kind === 'rest') {
    copies.push('the community, user and notification services: their own data of the user');
  }
  copies.push('member lists: the user id again, as soon as the community service names it');
  copies.push('a ban of the user: its id and its end, without its reason, until it is lifted');
  copies.push('log lines with the user id, and backups: as long as you keep them');
  return copies;
}
