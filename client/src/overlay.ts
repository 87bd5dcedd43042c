import { type Command, createsEntry } from './command.ts';
import type { Receipt } from './connection.ts';
import { type Entry, entryOf } from './entry.ts';
import { Refused } from './errors.ts';

/** An own command that was receipted and whose event has not come yet. */
export interface StoredCommand {
  readonly command: Command;
  readonly receipt: Receipt;
}

export interface Own {
  readonly userId: number | null;
  readonly name: string;
  readonly image: string | null;
  readonly progressOf: (nonce: string) => number | null;
  /** The refusals for which commands wait, by nonce. */
  readonly delays: ReadonlyMap<string, Refused>;
}

/**
 * Loaded entries with the own commands on top: new entries at the end, edits and deletions in
 * place.
 */
export function entriesWith(
  loaded: readonly Entry[],
  receipted: readonly StoredCommand[],
  waiting: readonly Command[],
  own: Own,
): readonly Entry[] {
  if (receipted.length + waiting.length === 0) return loaded;
  const entries = [...loaded];
  const ownNonces = new Set(
    loaded.flatMap(({ userId, nonce }) => (userId === own.userId && nonce !== null ? [nonce] : [])),
  );
  const put = (command: Command, receipt: Receipt | null) => {
    if (createsEntry(command)) {
      if (!ownNonces.has(command.nonce)) entries.push(newEntry(command, receipt, entries, own));
      return;
    }
    const at = entries.findIndex(({ id, nonce }) =>
      command.target === null ? nonce === command.targetNonce : id === command.target,
    );
    const entry = entries[at];
    if (entry === undefined) return;
    if (receipt !== null && command.kind === 'delete') entries.splice(at, 1);
    else entries[at] = changed(entry, command, receipt, own);
  };
  for (const { command, receipt } of receipted) put(command, receipt);
  for (const command of waiting) put(command, null);
  return entries;
}

function changed(entry: Entry, command: Command, receipt: Receipt | null, own: Own): Entry {
  const { kind, failure, nonce, text } = command;
  const shown = kind === 'edit' && failure === null ? { text, edited: true } : {};
  if (receipt !== null) return { ...entry, ...shown };
  return {
    ...entry,
    ...shown,
    ...stateOf(command, own),
    action: kind === 'edit' ? 'edit' : 'delete',
    actionNonce: nonce,
  };
}

function newEntry(command: Command, receipt: Receipt | null, entries: readonly Entry[], own: Own): Entry {
  const { nonce, kind, text, target, targetNonce, file, at } = command;
  const isParent = (entry: Entry) => (target === null ? entry.nonce === targetNonce : entry.id === target);
  const parent = kind === 'reply' ? entries.find(isParent) : undefined;
  const body = {
    id: receipt?.id,
    seq: receipt?.seq,
    nonce,
    userId: own.userId,
    name: own.name,
    profileImage: own.image,
    message: file === null ? text : null,
    time: new Date(at).toISOString().slice(0, -1),
    parentId: target,
    parentName: parent?.name,
    parentContent: kind === 'reply' ? (parent?.text ?? '') : null,
    fileType: file?.kind,
    fileName: file?.name,
    fileSize: file?.data.size,
    width: file?.width,
    height: file?.height,
  };
  const entry = entryOf(body);
  if (receipt !== null) return entry;
  return { ...entry, ...stateOf(command, own), action: 'create', actionNonce: nonce, progress: own.progressOf(nonce) };
}

function stateOf({ failure, nonce }: Command, { delays }: Own) {
  if (failure === null) return { state: 'pending' as const, error: delays.get(nonce) ?? null };
  return { state: 'failed' as const, error: new Refused(failure.code, failure.message) };
}
