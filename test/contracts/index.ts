/** The contract suites: one a port, run with Vitest by each adapter of that port. */
export * from './bursts.ts';
export * from './deleted-text.ts';
export * from './file-store.ts';
export * from './history.ts';
export * from './member-cache.ts';
export * from './message-bus.ts';
export * from './message-store.ts';
export * from './moderation-store.ts';
export * from './moderator.ts';
export * from './notifier.ts';
export * from './outbox.ts';
export * from './read-markers.ts';
export * from './room-directory.ts';
export * from './session-reporter.ts';
export { type TokenVerifierUnderTest, tokenVerifierContract } from './token-verifier.ts';
export * from './unknown-kinds.ts';
export * from './user-directory.ts';
export type { Server, ServerOptions, World } from './world.ts';
