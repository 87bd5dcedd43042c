import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Paths of PEM files, and their texts. */
export interface KeyPair {
  readonly certPath: string;
  readonly keyPath: string;
  readonly cert: string;
  readonly key: string;
}

/** A private authority whose files are in `folder`. */
export class Authority {
  readonly pair: KeyPair;
  readonly #folder: string;

  private constructor(folder: string, pair: KeyPair) {
    this.#folder = folder;
    this.pair = pair;
  }

  static async create(folder: string, name = 'ca'): Promise<Authority> {
    const [keyPath, certPath] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
    const subject = ['-subj', `/CN=${name}`, '-days', '30'];
    await run('openssl', ['req', '-x509', ...NEW_KEY, '-keyout', keyPath, '-out', certPath, ...subject]);
    return new Authority(folder, await pairOf(certPath, keyPath));
  }

  /**
   * Signs a new certificate.
   * @param names subject alternative names, such as `IP:127.0.0.1` and `DNS:localhost`
   */
  async issue(name: string, names: string, options: { readonly isExpired?: boolean } = {}): Promise<KeyPair> {
    const path = (end: string): string => join(this.#folder, `${name}.${end}`);
    await run('openssl', ['req', ...NEW_KEY, '-keyout', path('key'), '-out', path('csr'), '-subj', `/CN=${name}`]);
    await writeFile(path('ext'), `subjectAltName=${names}\n`);
    const days = options.isExpired === true ? '-1' : '30';
    const signer = ['-CA', this.pair.certPath, '-CAkey', this.pair.keyPath, '-CAcreateserial'];
    const output = ['-out', path('pem'), '-days', days, '-extfile', path('ext')];
    await run('openssl', ['x509', '-req', '-in', path('csr'), ...signer, ...output]);
    return pairOf(path('pem'), path('key'));
  }
}

async function pairOf(certPath: string, keyPath: string): Promise<KeyPair> {
  const [cert, key] = await Promise.all([readFile(certPath, 'utf8'), readFile(keyPath, 'utf8')]);
  return { certPath, keyPath, cert, key };
}
