import { expect, it } from 'vitest';
import { originalForm } from '../../../src/adapters/records/original-form.ts';
import { ReceivedRecord } from '../../../src/adapters/records/received-record.ts';
import { encodeRecord } from '../../../src/adapters/records/record-codec.ts';
import type { OutgoingEvent } from '../../../src/application/ports/message-bus.ts';
import { numbered, said, shared } from '../../contracts/world.ts';

const encode = originalForm((key) => `https://chat.example.com/files/${key}`);
const [text, file] = numbered(1, [said('r-5', 'hello'), shared('r-5', 'key')]) as [OutgoingEvent, OutgoingEvent];

function readBack(event: OutgoingEvent) {
  const { stream, ...raw } = encode({ event }, 'one');
  return new ReceivedRecord({ ...raw, timestamp: 0 }, { stream, skipped: () => {} }).read();
}

it('writes whole links of a file, which servers of the original show, and reads the keys', () => {
  expect(JSON.parse(encode({ event: file }, 'one').value)).toMatchObject({
    message: 'https://chat.example.com/files/key',
    thumbnail: 'https://chat.example.com/files/thumb',
    file: 'key',
    thumbnailFile: 'thumb',
  });
  expect(readBack(file)).toEqual(file);
});

it('writes the type of a call that was left as the original reads it', () => {
  const left = { kind: 'call-left', type: 'out', roomId: 7, ids: ['2'] } as const;
  expect(JSON.parse(encode({ event: left }, 'one').value)).toMatchObject({ type: 'exit-room', channelId: '7' });
  expect(readBack(left)).toEqual(left);
});

it('writes every other event, and a file that is a whole URL, as usual', () => {
  const [url] = numbered(1, [shared('r-5', 'https://elsewhere/cat.png')]) as [OutgoingEvent];
  for (const event of [text, url]) expect(encode({ event }, 'one')).toEqual(encodeRecord({ event }, 'one'));
  expect(originalForm(null)({ event: file }, 'one')).toEqual(encodeRecord({ event: file }, 'one'));
});
