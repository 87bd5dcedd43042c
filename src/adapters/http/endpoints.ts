import { SERVICE_ENDPOINTS } from './service/endpoints.ts';

/**
 * The allowed callers:
 *
 * - `client`: with the token of a user
 * - `service`: one of the other services
 * - `link`: with a signed link
 * - `demo`: everybody when the demo is on, otherwise nobody
 * - `anyone`: everybody
 */
export type Who = 'client' | 'service' | 'link' | 'demo' | 'anyone';

export interface Endpoint {
  readonly method: 'get' | 'post' | 'put';
  readonly path: string;
  readonly who: Who;
  readonly what: string;
}

/** The HTTP calls without the service API. */
export const OWN_ENDPOINTS = {
  roomHistory: {
    method: 'get',
    path: '/chat-server/direct',
    who: 'client',
    what: 'reads a page of the history of a room',
  },
  channelHistory: {
    method: 'get',
    path: '/chat-server/community',
    who: 'client',
    what: 'reads a page of the history of a channel',
  },
  unread: {
    method: 'get',
    path: '/chat-server/unread',
    who: 'client',
    what: "counts the unread messages of the token's user",
  },
  places: {
    method: 'get',
    path: '/chat-server/places',
    who: 'client',
    what: "lists the rooms, communities and channels of the token's user",
  },
  online: {
    method: 'get',
    path: '/chat-server/online',
    who: 'client',
    what: 'lists the members of a place who have a session',
  },
  uploadToRoom: {
    method: 'post',
    path: '/chat-server/file',
    who: 'client',
    what: 'shares a file in a room',
  },
  uploadToChannel: {
    method: 'post',
    path: '/chat-server/channel/file',
    who: 'client',
    what: 'shares a file in a channel',
  },
  replaceRoomMembers: {
    method: 'put',
    path: '/chat-server/room-user-list/:id',
    who: 'service',
    what: 'replaces the members of a room',
  },
  replaceCommunityMembers: {
    method: 'put',
    path: '/chat-server/community-user-list/:id',
    who: 'service',
    what: 'replaces the members of a community',
  },
  messageCount: {
    method: 'post',
    path: '/chat-server/message-count',
    who: 'service',
    what: "counts the unread messages of a user's rooms",
  },
  voiceLeft: {
    method: 'post',
    path: '/chat-server/signaling-list-community',
    who: 'service',
    what: 'reports that a user left (or entered) a voice channel',
  },
  callLeft: {
    method: 'post',
    path: '/chat-server/signaling-list-direct',
    who: 'service',
    what: 'reports that a user left (or entered) a direct call',
  },
  file: {
    method: 'get',
    path: '/chat-server/files/:key',
    who: 'link',
    what: 'reads the bytes of a shared file',
  },
  live: {
    method: 'get',
    path: '/chat-server/health/live',
    who: 'anyone',
    what: 'says that the process runs',
  },
  ready: {
    method: 'get',
    path: '/chat-server/health/ready',
    who: 'anyone',
    what: 'says whether the server is ready, or why not',
  },
  metrics: {
    method: 'get',
    path: '/metrics',
    who: 'anyone',
    what: 'reads the metrics for Prometheus',
  },
  openapi: {
    method: 'get',
    path: '/openapi.json',
    who: 'anyone',
    what: 'reads the OpenAPI document of all HTTP calls',
  },
  asyncapi: {
    method: 'get',
    path: '/asyncapi.json',
    who: 'anyone',
    what: 'reads the AsyncAPI document of STOMP and Kafka',
  },
  adminPage: {
    method: 'get',
    path: '/admin{/*path}',
    who: 'anyone',
    what: 'serves the admin page, which holds no data, where `ADMIN_TOKENS` is set',
  },
  demoToken: {
    method: 'post',
    path: '/demo/token',
    who: 'demo',
    what: 'issues a token of a demo user',
  },
  demoWorld: {
    method: 'get',
    path: '/demo/world',
    who: 'demo',
    what: 'lists the users, rooms and channels of the demo',
  },
  page: {
    method: 'get',
    path: '/{*path}',
    who: 'demo',
    what: 'serves the demo page and its files',
  },
} as const satisfies Record<string, Endpoint>;

export type EndpointName = keyof typeof OWN_ENDPOINTS;

/**
 * All HTTP calls. The router is built from these tables, so no other call can be reached. `admin`
 * stands for the holders of a token of `ADMIN_TOKENS`.
 */
export const ENDPOINTS = { ...OWN_ENDPOINTS, ...SERVICE_ENDPOINTS };
