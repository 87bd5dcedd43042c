import type { IncomingMessage, ServerResponse } from 'node:http';
import { quoted } from '../transport/quoted.ts';
import { answerTooLarge, BodyTooLarge, formPayload, readBody } from './body.ts';
import { PayloadError, readMessages } from './frames.ts';
import { eventSource, type Framing, htmlFile, isCallback, jsonp, xhr, xhrStreaming } from './framing.ts';
import { identityOf } from './identity.ts';
import type { Settings } from './options.ts';
import { IframePage, serveInfo } from './pages.ts';
import { Receiver } from './receiver.ts';
import {
  allowCors,
  answer,
  answerMethodNotAllowed,
  answerNoContent,
  answerPreflight,
  forbidCaching,
  setStickyCookie,
} from './responses.ts';
import { type Endpoint, queryOf, type Route } from './route.ts';
import type { SessionTable } from './session-table.ts';

const METHODS: Readonly<Record<Endpoint | Exclude<Route['kind'], 'session' | 'unknown'>, 'GET' | 'POST'>> = {
  greeting: 'GET',
  info: 'GET',
  iframe: 'GET',
  'raw-websocket': 'GET',
  websocket: 'GET',
  xhr: 'POST',
  xhr_send: 'POST',
  xhr_streaming: 'POST',
  eventsource: 'GET',
  htmlfile: 'GET',
  jsonp: 'GET',
  jsonp_send: 'POST',
};

/** Answers plain HTTP requests: the pages, and the transports that need no WebSocket. */
export class HttpEndpoints {
  readonly #settings: Settings;
  readonly #sessions: SessionTable;
  readonly #iframe: IframePage;
  #isClosing = false;

  constructor(settings: Settings, sessions: SessionTable) {
    this.#settings = settings;
    this.#sessions = sessions;
    this.#iframe = new IframePage(settings.sockjsUrl);
  }

  /** Refuses new sessions from now on. */
  close(): void {
    this.#isClosing = true;
  }

  handle(route: Route, request: IncomingMessage, response: ServerResponse): void {
    response.on('error', () => {});
    const settings = this.#settings;
    const { origin } = request.headers;
    if (!settings.allowOrigin(origin, request)) {
      answer(response, 403, `Pages of the origin ${quoted(origin ?? '')} may not use this server.\n`);
      return;
    }
    const name = route.kind === 'session' ? route.endpoint : route.kind;
    const needsWebSocket = name === 'websocket' || name === 'raw-websocket';
    if (name === 'unknown' || (needsWebSocket && !settings.websocket)) {
      answer(response, 404, 'Not found.\n');
      return;
    }
    allowCors(request, response);
    const method = METHODS[name];
    if (request.method === 'OPTIONS') {
      answerPreflight(request, response, `OPTIONS, ${method}`);
      return;
    }
    if (request.method !== method) {
      answerMethodNotAllowed(response, needsWebSocket ? method : `OPTIONS, ${method}`);
      return;
    }
    if (route.kind === 'session') this.#session(route.session, route.endpoint, request, response);
    else this.#page(route.kind, request, response);
  }

  #page(kind: Exclude<Route['kind'], 'session'>, request: IncomingMessage, response: ServerResponse): void {
    if (kind === 'greeting') answer(response, 200, 'Welcome to SockJS!\n');
    else if (kind === 'info') serveInfo(response, this.#settings.websocket, this.#settings.cookieNeeded);
    else if (kind === 'iframe') this.#iframe.serve(request, response);
    else answer(response, 400, 'Not a valid websocket request.\n');
  }

  #session(id: string, endpoint: Endpoint, request: IncomingMessage, response: ServerResponse): void {
    if (endpoint === 'websocket') {
      answer(response, 400, 'Not a valid websocket request.\n');
      return;
    }
    forbidCaching(response);
    if (this.#settings.cookieNeeded) setStickyCookie(request, response);
    if (endpoint === 'xhr_send' || endpoint === 'jsonp_send') void this.#receive(id, endpoint, request, response);
    else if (endpoint === 'xhr') this.#attach(id, xhr, request, response);
    else if (endpoint === 'xhr_streaming') this.#attach(id, xhrStreaming, request, response);
    else if (endpoint === 'eventsource') this.#attach(id, eventSource, request, response);
    else this.#callback(id, endpoint === 'jsonp' ? jsonp : htmlFile, request, response);
  }

  #callback(
    id: string,
    framing: (callback: string) => Framing,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    const query = queryOf(request.url ?? '');
    const callback = query.get('c') ?? query.get('callback');
    if (callback === null || callback === '') answer(response, 500, '"callback" parameter required');
    else if (!isCallback(callback)) answer(response, 500, 'invalid "callback" parameter');
    else this.#attach(id, framing(callback), request, response);
  }

  #attach(id: string, framing: Framing, request: IncomingMessage, response: ServerResponse): void {
    const session = this.#sessions.get(id);
    if (session === undefined && (this.#isClosing || !this.#sessions.hasRoom())) {
      response.setHeader('Retry-After', '5');
      answer(response, 503, 'No session can begin now.\n');
      return;
    }
    const receiver = new Receiver(response, framing, this.#settings.responseLimit);
    if (session !== undefined) session.attach(receiver);
    else this.#sessions.open(id, identityOf(request, this.#settings), receiver);
  }

  async #receive(
    id: string,
    endpoint: 'xhr_send' | 'jsonp_send',
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    try {
      if (!this.#sessions.get(id)?.isOpen) {
        answer(response, 404, 'No such session.\n');
        return;
      }
      const body = await readBody(request, this.#settings.maxPayload);
      if (body === null) return;
      const json = endpoint === 'xhr_send' ? body : formPayload(body, request.headers['content-type']);
      const messages = readMessages(json);
      // The session may have ended while the body was arriving.
      const session = this.#sessions.get(id);
      if (session?.isOpen) session.receive(messages);
      else {
        answer(response, 404, 'No such session.\n');
        return;
      }
      if (endpoint === 'jsonp_send') answer(response, 200, 'ok');
      else {
        response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
        answerNoContent(response);
      }
    } catch (error) {
      if (error instanceof BodyTooLarge) {
        this.#sessions.get(id)?.tooLarge();
        answerTooLarge(request, response);
      } else if (error instanceof PayloadError) answer(response, 500, error.message);
      else {
        this.#settings.onError(error);
        answer(response, 500, 'Internal error.\n');
      }
    }
  }
}
