import type { AdminToken } from '../../adapters/http/service/admin-rule.ts';
import { secretForm } from './forms.ts';

const ENTRY = /^([A-Za-z0-9._-]{1,100}):([!-+\--~]+)$/;

/** `name:token` for each administrator. Names and tokens differ. The audit lines show the name. */
export const adminTokens = secretForm<readonly AdminToken[]>(
  '`name:token`, separated by commas, with a name of letters, digits, `.`, `_` and `-`, and with names and tokens that differ',
  (text) => {
    const entries = text.split(',').map((entry) => ENTRY.exec(entry.trim()));
    const admins = entries.flatMap((entry) =>
      entry === null ? [] : [{ name: entry[1] ?? '', token: entry[2] ?? '' }],
    );
    if (admins.length < entries.length) return null;
    const differ = (values: readonly string[]): boolean => new Set(values).size === values.length;
    return differ(admins.map(({ name }) => name)) && differ(admins.map(({ token }) => token)) ? admins : null;
  },
);
