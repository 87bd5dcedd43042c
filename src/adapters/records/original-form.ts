import type { OutgoingRecord } from '../../application/ports/message-bus.ts';
import { isFileUrl } from '../../domain/file.ts';
import { type EncodedRecord, encodeRecord } from './record-codec.ts';
import { parseFields } from './record-fields.ts';

/**
 * Encodes records in a form that servers of the original understand as well:
 *
 * - a file has whole links in `message` and `thumbnail`, and the keys in `file` and `thumbnailFile`
 * - a call that was left has the type `exit-room`
 *
 * @param fileLink makes the link of a key; null: the keys are written
 */
export function originalForm(fileLink: ((key: string) => string) | null) {
  return (record: OutgoingRecord, server: string): EncodedRecord => {
    const encoded = encodeRecord(record, server);
    const { event } = record;
    const changed = (fields: object): EncodedRecord => ({
      ...encoded,
      value: JSON.stringify({ ...parseFields(encoded.value), ...fields }),
    });
    if (event.kind === 'call-left') return changed({ type: 'exit-room' });
    if (event.kind !== 'file' || fileLink === null || isFileUrl(event.content)) return encoded;
    const { content: file, thumbnail: thumbnailFile } = event;
    const thumbnail = thumbnailFile === null ? null : fileLink(thumbnailFile);
    return changed({ message: fileLink(file), thumbnail, file, thumbnailFile });
  };
}
