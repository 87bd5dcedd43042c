import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/** How a client of TLS checks its peer and shows who it is. All texts are PEM. */
export interface TlsOptions {
  /** The authorities that are trusted, in place of those of Node.js. */
  readonly ca?: string;
  /** The certificate that the peer may ask for, with the ones that lead to its authority. */
  readonly cert?: string;
  /** The private key of `cert`. */
  readonly key?: string;
  /** The name that the peer's certificate must hold, in place of the host that is connected to. */
  readonly serverName?: string;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** True for PEM text with at least one certificate, each of which can be read. */
export function isCertificates(pem: string): boolean {
  const blocks = pem.match(CERTIFICATE) ?? [];
  return blocks.length > 0 && blocks.every((block) => succeeds(() => new X509Certificate(block)));
}

/** True for PEM text with a private key that needs no password. */
export function isPrivateKey(pem: string): boolean {
  return succeeds(() => createPrivateKey(pem));
}

/** True if the key is the one of the first certificate. */
export function isKeyOf(key: string, cert: string): boolean {
  return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
}

/** The options of `tls.connect` and of the libraries that pass theirs on to it. */
export function tlsConnectOptions({ ca, cert, key, serverName }: TlsOptions) {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

/** The name for the peer's choice of a certificate. An address is not a name. */
export function tlsServerName(host: string): { readonly servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}

const EXPLANATIONS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the certificate has expired',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is signed by itself, and no trusted authority is known for it',
  SELF_SIGNED_CERT_IN_CHAIN: 'an unknown authority has signed the certificate',
  UNABLE_TO_GET_ISSUER_CERT: 'an unknown authority has signed the certificate',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'an unknown authority has signed the certificate',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'an unknown authority has signed the certificate',
  CERT_SIGNATURE_FAILURE: 'an authority with another key has signed the certificate',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the port does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the port does not speak TLS',
  CLOSED_IN_HANDSHAKE: 'the connection was closed in the TLS handshake; the port may not speak TLS',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'the peer does not know the authority of our certificate',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'the peer asks for a certificate',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'the peer refuses the handshake; it may ask for a certificate',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'the peer refuses our certificate, or asks for one',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'our certificate has expired',
};

/** A failure of TLS. */
export interface TlsProblem {
  /** The part of our options that decides about it. */
  readonly about: 'ca' | 'cert' | 'serverName' | 'port';
  /** Human-readable, without secrets. */
  readonly text: string;
}

/** Explains an error of TLS, also one that other errors wrap; null for an error of another kind. */
export function tlsProblemOf(error: unknown): TlsProblem | null {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    const { code, message } = at as NodeJS.ErrnoException;
    const found = codeIn(code, message);
    if (found !== null) return { about: aboutOf(found), text: EXPLANATIONS[found] ?? message };
  }
  return null;
}

/** Libraries often keep only the message of an error, which is the text of OpenSSL. */
const MESSAGES: readonly (readonly [RegExp, string])[] = [
  [/certificate has expired/i, 'CERT_HAS_EXPIRED'],
  [/certificate is not yet valid/i, 'CERT_NOT_YET_VALID'],
  [/self[- ]signed certificate in certificate chain/i, 'SELF_SIGNED_CERT_IN_CHAIN'],
  [/self[- ]signed certificate/i, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  [/unable to get (local )?issuer certificate/i, 'UNABLE_TO_GET_ISSUER_CERT'],
  [/unable to verify the first certificate/i, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  [/certificate signature failure/i, 'CERT_SIGNATURE_FAILURE'],
  [/does not match certificate's altnames/i, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  [/wrong version number|packet length too long/i, 'ERR_SSL_WRONG_VERSION_NUMBER'],
  [/disconnected before secure TLS connection/i, 'CLOSED_IN_HANDSHAKE'],
  [/alert unknown ca/i, 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'],
  [/certificate required/i, 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'],
  [/alert handshake failure/i, 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE'],
  [/alert bad certificate/i, 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE'],
  [/alert certificate expired/i, 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED'],
];

function codeIn(code: string | undefined, message: string): string | null {
  if (code !== undefined && Object.hasOwn(EXPLANATIONS, code)) return code;
  return MESSAGES.find(([pattern]) => pattern.test(message))?.[1] ?? null;
}

function aboutOf(code: string): TlsProblem['about'] {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'serverName';
  if (/WRONG_VERSION|PACKET_LENGTH|CLOSED/.test(code)) return 'port';
  return /ALERT/.test(code) ? 'cert' : 'ca';
}

function succeeds(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
