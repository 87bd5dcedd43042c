import { UsageError } from './arguments.ts';

/** The address of a server, without a slash at its end. @throws UsageError */
export function baseUrlOf(text: string): string {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return url.href.replace(/\/+$/, '');
  throw new UsageError(`--url must be like http://host:8080, not ${JSON.stringify(text)}`);
}
