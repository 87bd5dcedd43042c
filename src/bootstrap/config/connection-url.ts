import { Hidden } from './hidden.ts';

/**
 * The URL of a service, which may hold a password. Printing or logging it shows scheme, host and
 * path; `reveal` gives the URL with user, password and options, for the client that connects.
 */
export class ConnectionUrl extends Hidden<string> {}
