/** The domain: events, places, ids and the rules that hold for them. */
export * from './authorship.ts';
export * from './chat-event.ts';
export * from './cluster-event.ts';
export * from './errors.ts';
export * from './file.ts';
export * from './history.ts';
export * from './holes.ts';
export * from './ids.ts';
export * from './message.ts';
export * from './place.ts';
export * from './stored-event.ts';
export * from './whereabouts.ts';
