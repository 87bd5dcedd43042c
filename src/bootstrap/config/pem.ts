import { readFileSync } from 'node:fs';
import { isCertificates, isPrivateKey } from '../../adapters/support/tls.ts';
import { type Form, secretForm } from './forms.ts';

/** Certificates, as PEM text or the path of a file with it. */
export const pemCertificates = pem('certificates', isCertificates);

/** A private key without a password, as PEM text or the path of a file with it. */
export const pemKey = pem('a private key without a password', isPrivateKey);

function pem(content: string, isValid: (pem: string) => boolean): Form<string> {
  const description = `PEM text with ${content}, or the path of a file with it`;
  const inText = secretForm(description, (text) => (isValid(text) ? text : null));
  return {
    ...inText,
    read(text) {
      // Line breaks are often written as \n in an environment file.
      if (text.includes('-----BEGIN')) return inText.read(text.replaceAll('\\n', '\n'));
      return inText.read(contentOf(text, description));
    },
  };
}

/** The message does not repeat the path: it may be a key in another form than PEM. */
function contentOf(path: string, description: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`must be ${description}; the file cannot be read (${code ?? 'not a path'})`);
  }
}
