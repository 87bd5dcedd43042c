/** The ports of the application: the interfaces that adapters implement. */
export type * from './audit-log.ts';
export type * from './clock.ts';
export type * from './file-store.ts';
export type * from './id-source.ts';
export type * from './local-subscribers.ts';
export * from './member-cache.ts';
export type * from './message-bus.ts';
export type * from './message-store.ts';
export type * from './notifier.ts';
export type * from './outbox.ts';
export type * from './personal-listener.ts';
export type * from './read-markers.ts';
export type * from './room-directory.ts';
export type * from './session-reporter.ts';
export type * from './telemetry.ts';
export type * from './token-verifier.ts';
export type * from './user-directory.ts';
