/** A call of the service API. Only administrators may make it. */
export interface ServiceEndpoint {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  readonly path: string;
  readonly who: 'admin';
  readonly what: string;
  /**
   * True if the call changes something or begins a job. Web pages may make it only with
   * `ADMIN_PAGE_ACTIONS=on`.
   */
  readonly changes: boolean;
  /** True if the call changes something, or shows something of one person or place. */
  readonly audited: boolean;
}

/** The common beginning of the paths of the service API. */
export const SERVICE_PREFIX = '/chat-server/service';

/** All calls of the service API. */
export const SERVICE_ENDPOINTS = {
  me: {
    method: 'get',
    path: `${SERVICE_PREFIX}/me`,
    who: 'admin',
    what: 'names the administrator of the token',
    changes: false,
    audited: false,
  },
  sendMessage: {
    method: 'post',
    path: `${SERVICE_PREFIX}/messages`,
    who: 'admin',
    what: 'stores a message or reply in the name of a user',
    changes: true,
    audited: true,
  },
  deleteMessage: {
    method: 'delete',
    path: `${SERVICE_PREFIX}/messages/:id`,
    who: 'admin',
    what: 'deletes a message of any author',
    changes: true,
    audited: true,
  },
  disconnect: {
    method: 'post',
    path: `${SERVICE_PREFIX}/disconnect`,
    who: 'admin',
    what: 'ends the sessions of a user',
    changes: true,
    audited: true,
  },
  banUser: {
    method: 'put',
    path: `${SERVICE_PREFIX}/bans/:userId`,
    who: 'admin',
    what: 'bans a user',
    changes: true,
    audited: true,
  },
  unbanUser: {
    method: 'delete',
    path: `${SERVICE_PREFIX}/bans/:userId`,
    who: 'admin',
    what: 'lifts a ban',
    changes: true,
    audited: true,
  },
  bans: {
    method: 'get',
    path: `${SERVICE_PREFIX}/bans`,
    who: 'admin',
    what: 'lists the bans',
    changes: false,
    audited: false,
  },
  muteUser: {
    method: 'put',
    path: `${SERVICE_PREFIX}/mutes/:userId`,
    who: 'admin',
    what: 'mutes a user in a place or everywhere',
    changes: true,
    audited: true,
  },
  unmuteUser: {
    method: 'delete',
    path: `${SERVICE_PREFIX}/mutes/:userId`,
    who: 'admin',
    what: 'lifts a mute',
    changes: true,
    audited: true,
  },
  mutes: {
    method: 'get',
    path: `${SERVICE_PREFIX}/mutes`,
    who: 'admin',
    what: 'lists the mutes',
    changes: false,
    audited: false,
  },
  slowMode: {
    method: 'put',
    path: `${SERVICE_PREFIX}/places/:place/slow-mode`,
    who: 'admin',
    what: 'sets how often a user may send in a place',
    changes: true,
    audited: true,
  },
  slowModes: {
    method: 'get',
    path: `${SERVICE_PREFIX}/slow-modes`,
    who: 'admin',
    what: 'lists the places in slow mode',
    changes: false,
    audited: false,
  },
  placePresence: {
    method: 'get',
    path: `${SERVICE_PREFIX}/places/:place/presence`,
    who: 'admin',
    what: 'lists who is subscribed to a place and who looks at it',
    changes: false,
    audited: true,
  },
  userSessions: {
    method: 'get',
    path: `${SERVICE_PREFIX}/users/:userId/sessions`,
    who: 'admin',
    what: 'lists the sessions of a user on all servers',
    changes: false,
    audited: true,
  },
  servers: {
    method: 'get',
    path: `${SERVICE_PREFIX}/servers`,
    who: 'admin',
    what: 'lists the live servers with their state',
    changes: false,
    audited: false,
  },
  busiestPlaces: {
    method: 'get',
    path: `${SERVICE_PREFIX}/busiest-places`,
    who: 'admin',
    what: 'lists the places with the most deliveries',
    changes: false,
    audited: false,
  },
  slowClients: {
    method: 'get',
    path: `${SERVICE_PREFIX}/slow-clients`,
    who: 'admin',
    what: 'lists the sessions with the most waiting bytes',
    changes: false,
    audited: true,
  },
  beginTrace: {
    method: 'post',
    path: `${SERVICE_PREFIX}/traces`,
    who: 'admin',
    what: 'begins a trace of a user or place on all servers',
    changes: false,
    audited: true,
  },
  readTrace: {
    method: 'get',
    path: `${SERVICE_PREFIX}/traces/:id`,
    who: 'admin',
    what: 'streams a trace: ids and kinds, never texts',
    changes: false,
    audited: true,
  },
  exportUser: {
    method: 'get',
    path: `${SERVICE_PREFIX}/users/:userId/export`,
    who: 'admin',
    what: 'exports everything that is stored of a user',
    changes: false,
    audited: true,
  },
  eraseUser: {
    method: 'delete',
    path: `${SERVICE_PREFIX}/users/:userId`,
    who: 'admin',
    what: 'erases or anonymises a user in everything that is stored',
    changes: true,
    audited: true,
  },
  tryRetention: {
    method: 'post',
    path: `${SERVICE_PREFIX}/jobs/retention-dry-run`,
    who: 'admin',
    what: 'counts what retention would remove',
    changes: true,
    audited: true,
  },
  jobs: {
    method: 'get',
    path: `${SERVICE_PREFIX}/jobs`,
    who: 'admin',
    what: 'lists the jobs of retention and erasure',
    changes: false,
    audited: false,
  },
  job: {
    method: 'get',
    path: `${SERVICE_PREFIX}/jobs/:id`,
    who: 'admin',
    what: 'shows the state of a job',
    changes: false,
    audited: false,
  },
} as const satisfies Record<string, ServiceEndpoint>;

export type ServiceEndpointName = keyof typeof SERVICE_ENDPOINTS;
