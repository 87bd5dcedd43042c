/** A call of the service API. Only administrators may make it. */
export interface ServiceEndpoint {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  readonly path: string;
  readonly who: 'admin';
  readonly what: string;
  /** True if the call changes something, or shows something of one person or place. */
  readonly audited: boolean;
}

/** The common beginning of the paths of the service API. */
export const SERVICE_PREFIX = '/chat-server/service';

/** All calls of the service API. */
export const SERVICE_ENDPOINTS = {
  sendMessage: {
    method: 'post',
    path: `${SERVICE_PREFIX}/messages`,
    who: 'admin',
    what: 'stores a message or reply in the name of a user',
    audited: true,
  },
  deleteMessage: {
    method: 'delete',
    path: `${SERVICE_PREFIX}/messages/:id`,
    who: 'admin',
    what: 'deletes a message of any author',
    audited: true,
  },
} as const satisfies Record<string, ServiceEndpoint>;

export type ServiceEndpointName = keyof typeof SERVICE_ENDPOINTS;
