import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonElement } from '../../../src/adapters/transport/json-element.ts';
import { SharedFrame } from '../../../src/adapters/transport/shared-frame.ts';
import { joinedTextFrame, openTextFrame, textFrame } from '../../../src/adapters/transport/web-socket-frame.ts';

/** The messages that a client of RFC 6455 reads from the bytes. */
function read(...chunks: readonly Buffer[]): string[] {
  const messages: string[] = [];
  for (let rest = Buffer.concat(chunks); rest.length > 0; ) {
    expect(rest[0]).toBe(0x81);
    const short = rest[1] ?? 0;
    const start = short < 126 ? 2 : short === 126 ? 4 : 10;
    const length = short < 126 ? short : Number(short === 126 ? rest.readUInt16BE(2) : rest.readBigUInt64BE(2));
    const isShortest = length < 126 ? start === 2 : length < 65536 ? start === 4 : start === 10;
    expect(isShortest && rest.length >= start + length).toBe(true);
    messages.push(rest.toString('utf8', start, start + length));
    rest = rest.subarray(start + length);
  }
  return messages;
}

const sizes = [0, 1, 125, 126, 127, 65535, 65536, 70000];
const text = fc.string({ unit: 'binary' });

describe('a text frame', () => {
  it.each(sizes)('frames a text of %i bytes so that a client reads it', (size) => {
    const payload = 'x'.repeat(size);
    expect(read(textFrame(payload), textFrame('next'))).toEqual([payload, 'next']);
    expect(read(joinedTextFrame('', Buffer.from(payload)))).toEqual([payload]);
    expect(read(openTextFrame('head ', size), Buffer.from(payload))).toEqual([`head ${payload}`]);
  });
});

describe('a shared frame', () => {
  it.each(sizes)('gives the payload of %i bytes for raw and for SockJS connections', (size) => {
    const frame = new SharedFrame('x'.repeat(size));
    expect(frame.webSocketPayload.toString()).toBe(frame.text);
    expect(read(frame.webSocketFrame)).toEqual([frame.text]);
    expect(read(frame.sockJsFrame)).toEqual([`a["${frame.text}"]`]);
    expect(frame.sockJsTail.toString()).toBe(`${frame.text}"]`);
  });

  it('encodes a shared frame once', () => {
    const frame = new SharedFrame('x');
    expect(frame.webSocketFrame).toBe(frame.webSocketFrame);
    expect(frame.sockJsFrame).toBe(frame.sockJsFrame);
    expect(frame.element).toBe(frame.element);
  });

  it('gives a shared frame the same text in every encoding, with any head', () => {
    fc.assert(
      fc.property(text, text, (head, body) => {
        const frame = new SharedFrame(body);
        const [raw = ''] = read(joinedTextFrame(head, frame.webSocketPayload));
        expect(raw).toBe(Buffer.from(head).toString() + Buffer.from(body).toString());
        const [framed = ''] = read(joinedTextFrame(`a[${jsonElement(head).slice(0, -1)}`, frame.sockJsTail));
        expect(JSON.parse(framed.slice(1))).toEqual([head + body]);
      }),
    );
  });
});

describe('a JSON element', () => {
  it('keeps every text as a JSON element, without characters that browsers change', () => {
    fc.assert(
      fc.property(text, (value) => {
        const element = jsonElement(value);
        expect(JSON.parse(element)).toBe(value);
        // DEL and the characters behind it are not escaped, as in the original SockJS server.
        expect([...element].every((character) => character >= ' ')).toBe(true);
        expect(element).not.toMatch(/[\p{Cs}\u200c-\u200f\u2028-\u202f\u2060-\u206f\ufff0-\uffff]/u);
      }),
    );
  });
});
