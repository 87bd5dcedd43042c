import { type Answer, type Call, json, plain } from './call.ts';
import { list, ref, text } from './schema.ts';

/** A call under `/my-chat`. */
export interface SockJsCall extends Call {
  readonly name: string;
  readonly method: 'get' | 'post';
  readonly address: string;
  readonly what: string;
}

const SESSION = {
  server: text('Any text without a dot; it may choose the server at a load balancer.', { pattern: '^[^/.]{1,128}$' }),
  session: text('The id of the session, chosen by the client.', { pattern: '^[^/.]{1,128}$' }),
};
const CALLBACK = { c: text('The name of the JavaScript function to call.') };
const FULL: Answer = plain('No session can begin now.');
const FRAMES = (contentType: string): Answer => ({
  description: 'SockJS frames: `o`, `h`, `a[...]`, `c[...]`.',
  contentType,
  schema: { type: 'string' },
});
const NO_SESSION = plain('There is no such session.');
const BAD_PAYLOAD = plain('The payload is missing or not valid JSON.');

function page(name: string, path: string, what: string, answers: Call['answers']): SockJsCall {
  return { name, method: 'get', address: path, what, tag: 'sockjs', answers };
}

function session(
  name: string,
  method: 'get' | 'post',
  endpoint: string,
  what: string,
  rest: Pick<Call, 'query' | 'body' | 'answers'>,
): SockJsCall {
  return {
    name,
    method,
    address: `/my-chat/{server}/{session}/${endpoint}`,
    what,
    tag: 'sockjs',
    path: SESSION,
    ...rest,
  };
}

/** The calls of SockJS. The adapter of SockJS serves them beside the router of the other calls. */
export const SOCKJS_CALLS: readonly SockJsCall[] = [
  page('sockJsGreeting', '/my-chat', 'greets a SockJS client; a WebSocket without SockJS opens here too', {
    101: { description: 'A WebSocket that carries STOMP frames.' },
    200: plain('A greeting.'),
  }),
  page('sockJsInfo', '/my-chat/info', 'says what the SockJS endpoint supports', {
    200: json('The features.', ref('SockJsInfo')),
    403: plain('Pages of this origin may not use the server.'),
  }),
  page('rawWebSocket', '/my-chat/websocket', 'opens a WebSocket that carries STOMP frames', {
    101: { description: 'A WebSocket that carries STOMP frames.' },
    400: plain('The request opens no WebSocket.'),
  }),
  {
    ...page('sockJsIframe', '/my-chat/{iframe}', 'serves the page for the iframe transports', {
      200: {
        description: 'The page.',
        contentType: 'text/html',
        schema: { type: 'string' },
        headers: { etag: text() },
      },
      304: { description: 'The caller has the page already.' },
    }),
    path: { iframe: text('Such as `iframe.html`.', { pattern: '^iframe[0-9-.a-z_]*\\.html$' }) },
  },
  session('sockJsWebSocket', 'get', 'websocket', 'opens a WebSocket that carries SockJS frames', {
    answers: {
      101: { description: 'A WebSocket that carries SockJS frames.' },
      400: plain('The request opens no WebSocket.'),
    },
  }),
  session('sockJsXhr', 'post', 'xhr', 'opens a session, or waits for its next frame', {
    answers: { 200: FRAMES('application/javascript'), 503: FULL },
  }),
  session('sockJsXhrStreaming', 'post', 'xhr_streaming', 'opens a session, or streams its frames', {
    answers: { 200: FRAMES('application/javascript'), 503: FULL },
  }),
  session('sockJsXhrSend', 'post', 'xhr_send', 'sends texts to a session', {
    body: { contentType: 'text/plain', schema: list(text('A part of a STOMP frame.')) },
    answers: { 204: { description: 'The texts have arrived.' }, 404: NO_SESSION, 500: BAD_PAYLOAD },
  }),
  session('sockJsEventSource', 'get', 'eventsource', 'streams the frames of a session as server-sent events', {
    answers: { 200: FRAMES('text/event-stream'), 503: FULL },
  }),
  session('sockJsHtmlFile', 'get', 'htmlfile', 'streams the frames of a session as scripts', {
    query: CALLBACK,
    answers: { 200: FRAMES('text/html'), 500: plain('The callback is missing or not valid.'), 503: FULL },
  }),
  session('sockJsJsonp', 'get', 'jsonp', 'waits for the next frame of a session, as a script', {
    query: CALLBACK,
    answers: { 200: FRAMES('application/javascript'), 500: plain('The callback is missing or not valid.'), 503: FULL },
  }),
  session('sockJsJsonpSend', 'post', 'jsonp_send', 'sends texts to a session by a form', {
    body: {
      contentType: 'application/x-www-form-urlencoded',
      schema: { type: 'object', properties: { d: text('A JSON list of texts.') }, required: ['d'] },
    },
    answers: { 200: plain('The texts have arrived.'), 404: NO_SESSION, 500: BAD_PAYLOAD },
  }),
];
