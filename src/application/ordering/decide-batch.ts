import { asRefusal, type Refusal } from '../../domain/errors.ts';
import type { MessageId } from '../../domain/ids.ts';
import type { Message } from '../../domain/message.ts';
import type { Draft } from '../../domain/stored-event.ts';
import type { Proposal } from './proposal.ts';

export interface DecidedBatch<E> {
  /** The accepted entries with their events, in order. */
  readonly entries: readonly E[];
  readonly drafts: readonly Draft[];
  readonly refused: readonly { readonly entry: E; readonly refusal: Refusal }[];
}

/**
 * Decides the proposals of one place in their order. Each one sees the messages as the accepted
 * ones before it leave them.
 * @param messages the targets of the proposals as they stand before the batch; changed on the way
 */
export function decideBatch<E extends { readonly proposal: Proposal }>(
  entries: readonly E[],
  messages: Map<MessageId, Message>,
): DecidedBatch<E> {
  const accepted: E[] = [];
  const drafts: Draft[] = [];
  const refused: { entry: E; refusal: Refusal }[] = [];
  for (const entry of entries) {
    const { target, decide } = entry.proposal;
    try {
      const draft = decide(target === null ? undefined : messages.get(target));
      drafts.push(draft);
      accepted.push(entry);
      applyDraft(messages, draft);
    } catch (error) {
      refused.push({ entry, refusal: asRefusal(error) });
    }
  }
  return { entries: accepted, drafts, refused };
}

/** Changes the messages as this draft will change them once it is stored. Returns the same map. */
function applyDraft(messages: Map<MessageId, Message>, draft: Draft): Map<MessageId, Message> {
  switch (draft.kind) {
    case 'message':
    case 'reply':
    case 'file':
      // No proposal of the same batch can name the new message: no client knows its id yet.
      return messages;
    case 'modify': {
      const target = messages.get(draft.id);
      if (target !== undefined) messages.set(draft.id, { ...target, content: draft.content, edited: true });
      return messages;
    }
    case 'delete':
      messages.delete(draft.id);
      return messages;
  }
}
