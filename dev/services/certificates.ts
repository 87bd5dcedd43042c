import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './package-cache.ts';

/** Paths of PEM files, and their texts. */
export interface KeyPair {
  readonly certPath: string;
  readonly keyPath: string;
  /** The private key and then the certificate in one file. */
  readonly bothPath: string;
  readonly cert: string;
  readonly key: string;
}

const SERVICE = 'certificates';
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
const DAYS = '30';
/** A certificate with this lifetime expired yesterday. */
const EXPIRED_DAYS = '-1';

/** A private authority whose files are in `folder`. It needs `openssl`. */
export class Authority {
  readonly pair: KeyPair;
  readonly #folder: string;

  private constructor(folder: string, pair: KeyPair) {
    this.#folder = folder;
    this.pair = pair;
  }

  /** @throws ServiceUnavailable if openssl is missing */
  static async create(folder: string, name = 'ca'): Promise<Authority> {
    const [keyPath, certPath] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
    const subject = ['-subj', `/CN=${name}`, '-days', DAYS, '-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
    await run(SERVICE, 'openssl', ['req', '-x509', ...NEW_KEY, '-keyout', keyPath, '-out', certPath, ...subject]);
    return new Authority(folder, await pairOf(certPath, keyPath));
  }

  /**
   * Signs a new certificate.
   * @param names subject alternative names, such as `IP:127.0.0.1,DNS:localhost`
   */
  async issue(name: string, names: string, options: { readonly isExpired?: boolean } = {}): Promise<KeyPair> {
    const path = (end: string): string => join(this.#folder, `${name}.${end}`);
    const request = ['-keyout', path('key'), '-out', path('csr'), '-subj', `/CN=${name}`];
    await run(SERVICE, 'openssl', ['req', ...NEW_KEY, ...request]);
    await writeFile(path('ext'), `subjectAltName=${names}\n`);
    const serial = String(Math.floor(Math.random() * 2 ** 48));
    const signer = ['-CA', this.pair.certPath, '-CAkey', this.pair.keyPath, '-set_serial', serial];
    const days = options.isExpired === true ? EXPIRED_DAYS : DAYS;
    const output = ['-out', path('pem'), '-days', days, '-extfile', path('ext')];
    await run(SERVICE, 'openssl', ['x509', '-req', '-in', path('csr'), ...signer, ...output]);
    return pairOf(path('pem'), path('key'));
  }
}

async function pairOf(certPath: string, keyPath: string): Promise<KeyPair> {
  const [cert, key] = await Promise.all([readFile(certPath, 'utf8'), readFile(keyPath, 'utf8')]);
  const bothPath = certPath.replace(/\.pem$/, '-both.pem');
  await writeFile(bothPath, key + cert);
  return { certPath, keyPath, bothPath, cert, key };
}

/** The certificates of one service and its clients. */
export interface Certificates {
  /** The authority that signed all of them. */
  readonly ca: KeyPair;
  /** Certificate for 127.0.0.1 and localhost. */
  readonly server: KeyPair;
  /** Certificate of a client, for mutual TLS. */
  readonly client: KeyPair;
  /** Certificate for 127.0.0.1 and localhost that has expired. */
  readonly expired: KeyPair;
  /** Certificate for wrong.example only. */
  readonly wrongName: KeyPair;
}

const HERE = 'IP:127.0.0.1,DNS:localhost';

/**
 * Makes an authority and certificates in `folder`. They go with the folder.
 * @throws ServiceUnavailable if openssl is missing
 */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const authority = await Authority.create(folder);
  const [server, client, expired, wrongName] = await Promise.all([
    authority.issue('server', HERE),
    authority.issue('client', 'DNS:client'),
    authority.issue('expired', HERE, { isExpired: true }),
    authority.issue('wrong-name', 'DNS:wrong.example'),
  ]);
  return { ca: authority.pair, server, client, expired, wrongName };
}
