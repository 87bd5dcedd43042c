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
  disconnect: {
    method: 'post',
    path: `${SERVICE_PREFIX}/disconnect`,
    who: 'admin',
    what: 'ends the sessions of a user',
    audited: true,
  },
  banUser: {
    method: 'put',
    path: `${SERVICE_PREFIX}/bans/:userId`,
    who: 'admin',
    what: 'bans a user',
    audited: true,
  },
  unbanUser: {
    method: 'delete',
    path: `${SERVICE_PREFIX}/bans/:userId`,
    who: 'admin',
    what: 'lifts a ban',
    audited: true,
  },
  bans: {
    method: 'get',
    path: `${SERVICE_PREFIX}/bans`,
    who: 'admin',
    what: 'lists the bans',
    audited: false,
  },
  muteUser: {
    method: 'put',
    path: `${SERVICE_PREFIX}/mutes/:userId`,
    who: 'admin',
    what: 'mutes a user in a place or everywhere',
    audited: true,
  },
  unmuteUser: {
    method: 'delete',
    path: `${SERVICE_PREFIX}/mutes/:userId`,
    who: 'admin',
    what: 'lifts a mute',
    audited: true,
  },
  mutes: {
    method: 'get',
    path: `${SERVICE_PREFIX}/mutes`,
    who: 'admin',
    what: 'lists the mutes',
    audited: false,
  },
  slowMode: {
    method: 'put',
    path: `${SERVICE_PREFIX}/places/:place/slow-mode`,
    who: 'admin',
    what: 'sets how often a user may send in a place',
    audited: true,
  },
  slowModes: {
    method: 'get',
    path: `${SERVICE_PREFIX}/slow-modes`,
    who: 'admin',
    what: 'lists the places in slow mode',
    audited: false,
  },
  placePresence: {
    method: 'get',
    path: `${SERVICE_PREFIX}/places/:place/presence`,
    who: 'admin',
    what: 'lists who is subscribed to a place and who looks at it',
    audited: true,
  },
  userSessions: {
    method: 'get',
    path: `${SERVICE_PREFIX}/users/:userId/sessions`,
    who: 'admin',
    what: 'lists the sessions of a user on all servers',
    audited: true,
  },
  servers: {
    method: 'get',
    path: `${SERVICE_PREFIX}/servers`,
    who: 'admin',
    what: 'lists the live servers with their state',
    audited: false,
  },
  exportUser: {
    method: 'get',
    path: `${SERVICE_PREFIX}/users/:userId/export`,
    who: 'admin',
    what: 'exports everything that is stored of a user',
    audited: true,
  },
  eraseUser: {
    method: 'delete',
    path: `${SERVICE_PREFIX}/users/:userId`,
    who: 'admin',
    what: 'erases or anonymises a user in everything that is stored',
    audited: true,
  },
  tryRetention: {
    method: 'post',
    path: `${SERVICE_PREFIX}/jobs/retention-dry-run`,
    who: 'admin',
    what: 'counts what retention would remove',
    audited: true,
  },
  jobs: {
    method: 'get',
    path: `${SERVICE_PREFIX}/jobs`,
    who: 'admin',
    what: 'lists the jobs of retention and erasure',
    audited: false,
  },
  job: {
    method: 'get',
    path: `${SERVICE_PREFIX}/jobs/:id`,
    who: 'admin',
    what: 'shows the state of a job',
    audited: false,
  },
} as const satisfies Record<string, ServiceEndpoint>;

export type ServiceEndpointName = keyof typeof SERVICE_ENDPOINTS;
