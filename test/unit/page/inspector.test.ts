import { expect, it, vi } from 'vitest';
import { type Carried, Line } from '../../../page/src/inspector/line.ts';
import { InspectorLog } from '../../../page/src/inspector/log.ts';

function frame(command: string, headers: Record<string, string>, body: unknown = ''): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  return `${command}\n${lines.join('')}\n${body === '' ? '' : JSON.stringify(body)}\0`;
}

/** A log, and functions that carry a text 5 ms after the last one. */
function begin() {
  const log = new InspectorLog();
  let at = 0;
  const carry = (from: Carried['from'], arrived: boolean) => (text: string) => {
    at += 5;
    log.take({ at, from, text, arrived });
  };
  const [page, server] = [carry('page', true), carry('server', true)];
  return { log, page, server, line: carry('line', true), lost: carry('server', false) };
}

const send = (nonce: string, receipt: string) =>
  frame('SEND', { destination: '/kafka/send-direct-message', receipt }, { channelId: 5, nonce, content: 'Hello' });

it('shows in the row of a command the number and the time of its receipt', () => {
  const { log, page, server } = begin();
  page(send('n-1', '7'));
  expect(log.rows).toMatchObject([{ what: 'message', place: 'r-5', nonce: 'n-1', note: { kind: 'waiting' } }]);
  server(frame('RECEIPT', { 'receipt-id': '7', seq: '41', 'message-id': 'a' }));
  expect(log.rows).toMatchObject([
    { note: { kind: 'stored', seq: 41, ms: 5 } },
    { what: 'RECEIPT', place: 'r-5', seq: 41, nonce: 'n-1' },
  ]);
});

it('marks the event of an own command', () => {
  const { log, page, server } = begin();
  page(frame('SUBSCRIBE', { id: '1', destination: '/topic/direct/5', receipt: '1' }));
  page(send('n-1', '2'));
  const headers = { subscription: '1', destination: '/topic/direct/5', seq: '41' };
  server(frame('MESSAGE', headers, { type: 'message', nonce: 'n-1', seq: 41 }));
  expect(log.rows.at(-1)).toMatchObject({ what: 'message', place: 'r-5', seq: 41, note: { kind: 'own' } });
});

it('counts the events that a subscription catches up', () => {
  const { log, page, server } = begin();
  page(frame('SUBSCRIBE', { id: '9', destination: '/topic/group/11', receipt: '1', 'last-seq': '40' }));
  expect(log.rows[0]?.note).toEqual({ kind: 'resuming', from: 40 });
  for (const seq of [41, 42]) server(frame('MESSAGE', { subscription: '9', seq: String(seq) }, { type: 'message' }));
  server(frame('RECEIPT', { 'receipt-id': '1', seq: '42' }));
  server(frame('MESSAGE', { subscription: '9', seq: '43' }, { type: 'message' }));
  expect(log.rows[0]?.note).toEqual({ kind: 'resumed', missed: 2, ms: 15 });
  expect(log.totals).toMatchObject({ sent: 1, received: 4, missed: 2 });
});

it('shows that a nonce is sent again after the answer was lost', () => {
  const { log, page, line, lost } = begin();
  page(send('n-1', '2'));
  lost(frame('RECEIPT', { 'receipt-id': '2', seq: '41' }));
  line('closed');
  page(send('n-1', '3'));
  expect(log.rows.map(({ note }) => note.kind)).toEqual(['waiting', 'lost', 'none', 'again']);
});

it('shows a refusal in its own row and in that of the command', () => {
  const { log, page, server } = begin();
  page(send('n-1', '2'));
  server(frame('MESSAGE', { subscription: 'errors' }, { code: 2103, message: 'no', 'receipt-id': '2' }));
  const note = { kind: 'refused', code: 2103, message: 'no' };
  expect(log.rows).toMatchObject([{ note }, { what: 'refusal', note }]);
});

it('keeps 300 rows at most, however long it runs', () => {
  const { log, server } = begin();
  for (let seq = 1; seq <= 1_000; seq += 1) server(frame('MESSAGE', { seq: String(seq) }, { type: 'message' }));
  expect(log.rows).toHaveLength(300);
  expect(log.rows.at(-1)?.seq).toBe(1_000);
});

it('reads heart-beats, frames that were cut off and bodies that are not JSON', () => {
  const { log, server } = begin();
  server('\n');
  server('MESSAGE\nseq:4\nsubscr');
  server('MESSAGE\nseq:5\n\n{"type":"mess');
  server('MESSAGE\nname:a\\cb\\\\n\n\nhello\0');
  expect(log.rows.map(({ seq }) => seq)).toEqual([4, 5, null]);
  expect(log.totals.beats).toBe(1);
});

/** A WebSocket of a test. */
class TestSocket {
  readyState = 1;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: unknown) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  readonly sent: unknown[] = [];
  send(data: unknown): void {
    this.sent.push(data);
  }
  close(): void {
    this.readyState = 3;
  }
}

function openLine() {
  const sockets: TestSocket[] = [];
  const line = new Line(() => {
    const socket = new TestSocket();
    sockets.push(socket);
    return socket as unknown as WebSocket;
  });
  const connect = () => {
    const socket = line.socket('ws://server');
    const [heard, closed] = [vi.fn(), vi.fn()];
    socket.onmessage = heard;
    socket.onclose = closed;
    return { socket, heard, closed };
  };
  return { line, sockets, connect };
}

it('a line passes everything on and keeps the last texts', () => {
  const { line, sockets, connect } = openLine();
  const { socket, heard } = connect();
  socket.send('out');
  sockets[0]?.onmessage?.({ data: 'in' });
  expect(sockets[0]?.sent).toEqual(['out']);
  expect(heard).toHaveBeenCalledWith({ data: 'in' });
  for (let turn = 0; turn < 1_000; turn += 1) socket.send('x'.repeat(10_000));
  expect(line.kept.length).toBeLessThanOrEqual(400);
  expect(line.kept.at(-1)?.text).toHaveLength(2_000);
});

it('a line that is cut ends its connections and refuses new ones and HTTP calls until it is mended', async () => {
  const { line, sockets, connect } = openLine();
  const first = connect();
  line.cut();
  expect(first.closed).toHaveBeenCalledTimes(1);
  expect(() => line.address('http://server')).toThrow('the line is cut');
  const second = connect();
  await vi.waitFor(() => expect(second.closed).toHaveBeenCalledTimes(1));
  expect(sockets).toHaveLength(1);
  line.mend();
  expect(line.address('http://server')).toBe('http://server');
  expect(connect().closed).not.toHaveBeenCalled();
  expect(sockets).toHaveLength(2);
});

it('a line that loses the answers drops them, and ends the connection when it hears again', () => {
  const { line, sockets, connect } = openLine();
  const { socket, heard, closed } = connect();
  line.lose();
  socket.send('out');
  sockets[0]?.onmessage?.({ data: 'in' });
  expect(heard).not.toHaveBeenCalled();
  expect(sockets[0]?.sent).toEqual(['out']);
  expect(line.kept.at(-1)).toMatchObject({ text: 'in', arrived: false });
  line.hear();
  expect(closed).toHaveBeenCalledTimes(1);
});
