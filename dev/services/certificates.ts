import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './package-cache.ts';

/** Files of one certificate. */
export interface CertificateFiles {
  /** PEM file with the certificate. */
  readonly certFile: string;
  /** PEM file with the private key (PKCS 8). */
  readonly keyFile: string;
  /** PEM file with the private key and then the certificate. */
  readonly bothFile: string;
}

export interface Certificates {
  /** PEM file with the authority that signed all of them. */
  readonly caFile: string;
  /** Certificate for 127.0.0.1 and localhost. */
  readonly server: CertificateFiles;
  /** Certificate of a client, for mutual TLS. */
  readonly client: CertificateFiles;
  /** Certificate for 127.0.0.1 and localhost that expired in 2021. */
  readonly expired: CertificateFiles;
  /** Certificate for wrong.example only. */
  readonly wrongName: CertificateFiles;
}

const HERE = 'IP:127.0.0.1,DNS:localhost';
const SERVICE = 'certificates';
const WHEN = ['-not_before', '20240101000000Z', '-not_after', '20991231235959Z'];
const PAST = ['-not_before', '20200101000000Z', '-not_after', '20210101000000Z'];

/**
 * Makes an authority and certificates in `folder` by `openssl`. They go with the folder.
 * @throws ServiceUnavailable if openssl is missing
 */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const [caFile, caKey] = [join(folder, 'ca.crt'), join(folder, 'ca.key')];
  await run(SERVICE, 'openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-subj', '/CN=test authority', '-days', '3650', '-keyout', caKey, '-out', caFile],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  ]);
  const sign = async (name: string, names: string, dates: readonly string[]): Promise<CertificateFiles> => {
    const at = (ending: string) => join(folder, `${name}.${ending}`);
    const files = { certFile: at('crt'), keyFile: at('key'), bothFile: at('pem') };
    await run(SERVICE, 'openssl', [
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-subj', `/CN=${name}`, '-addext', `subjectAltName=${names}`, '-keyout', files.keyFile, '-out', at('csr')],
    ]);
    // `openssl x509` cannot set the dates in all versions. `openssl ca` needs a database per call.
    const config = at('cnf');
    await Promise.all([
      writeFile(at('db'), ''),
      writeFile(
        config,
        [
          '[ca]\ndefault_ca=own\n[own]',
          `database=${at('db')}\nnew_certs_dir=${folder}\nrand_serial=yes\ndefault_md=sha256`,
          'policy=any\ncopy_extensions=copy\nunique_subject=no\n[any]\ncommonName=supplied\n',
        ].join('\n'),
      ),
    ]);
    const [, from = '', , to = ''] = dates;
    await run(SERVICE, 'openssl', [
      ...['ca', '-batch', '-notext', '-config', config, '-cert', caFile, '-keyfile', caKey],
      ...['-startdate', from, '-enddate', to, '-in', at('csr'), '-out', files.certFile],
    ]);
    const [key, cert] = await Promise.all([readFile(files.keyFile, 'utf8'), readFile(files.certFile, 'utf8')]);
    await writeFile(files.bothFile, key + cert);
    return files;
  };
  const [server, client, expired, wrongName] = await Promise.all([
    sign('server', HERE, WHEN),
    sign('client', 'DNS:client', WHEN),
    sign('expired', HERE, PAST),
    sign('wrong-name', 'DNS:wrong.example', WHEN),
  ]);
  return { caFile, server, client, expired, wrongName };
}
