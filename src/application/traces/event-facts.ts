import type { ChatEvent } from '../../domain/chat-event.ts';
import { isStored } from '../../domain/stored-event.ts';
import type { TraceStep } from '../../domain/trace.ts';

/** The fields of a step that an event gives. */
export function factsOf(event: ChatEvent): Pick<TraceStep, 'kind' | 'seq' | 'messageId' | 'author'> {
  const inner = event.kind === 'foreign' ? event.event : event;
  return {
    kind: inner.kind,
    seq: isStored(event) ? event.seq : null,
    messageId: event.kind === 'foreign' ? event.event.id : isStored(event) ? event.id : null,
    author: 'userId' in inner ? inner.userId : null,
  };
}
