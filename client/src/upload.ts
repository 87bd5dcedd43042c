import { Unanswered } from './errors.ts';
import { after } from './timing.ts';

export interface Upload {
  readonly authorization: string;
  readonly signal: AbortSignal;
  /** Gets the sent part, from 0 to 1. */
  readonly onProgress: (part: number) => void;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** The part of XMLHttpRequest that is used. Only browsers have it. */
interface Xhr {
  readonly status: number;
  readonly responseText: string;
  readonly upload: { onprogress: ((event: { loaded: number; total: number }) => void) | null };
  onload: (() => void) | null;
  onerror: (() => void) | null;
  onabort: (() => void) | null;
  open(method: string, url: string): void;
  setRequestHeader(name: string, value: string): void;
  send(form: FormData): void;
  abort(): void;
}

/** An upload that makes no progress for this long has failed. */
const STILL_MS = 60_000;
/** The limit without progress events, for the largest file on a slow line. */
const WHOLE_MS = 600_000;

/**
 * Posts a form. Where there is XMLHttpRequest, it reports progress, which fetch cannot.
 * @throws Unanswered
 */
export async function upload(url: string, form: FormData, how: Upload): Promise<Answer> {
  const { signal, onProgress } = how;
  const { XMLHttpRequest } = globalThis as { XMLHttpRequest?: new () => Xhr };
  const stop = new AbortController();
  const abort = () => stop.abort();
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  let cancel = after(XMLHttpRequest === undefined ? WHOLE_MS : STILL_MS, abort);
  try {
    if (XMLHttpRequest === undefined) return await byFetch(url, form, how.authorization, stop.signal);
    return await byXhr(new XMLHttpRequest(), url, form, how.authorization, stop.signal, (part) => {
      cancel();
      cancel = after(STILL_MS, abort);
      onProgress(part);
    });
  } finally {
    cancel();
    signal.removeEventListener('abort', abort);
  }
}

async function byFetch(url: string, body: FormData, authorization: string, signal: AbortSignal): Promise<Answer> {
  try {
    const answer = await fetch(url, { method: 'POST', headers: { authorization }, body, signal });
    return { status: answer.status, text: await answer.text() };
  } catch {
    throw new Unanswered('the server cannot be reached');
  }
}

function byXhr(
  xhr: Xhr,
  url: string,
  form: FormData,
  authorization: string,
  signal: AbortSignal,
  onProgress: (part: number) => void,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const failed = () => reject(new Unanswered('the server cannot be reached'));
    xhr.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    xhr.onload = () => resolve({ status: xhr.status, text: xhr.responseText });
    xhr.onerror = failed;
    xhr.onabort = failed;
    xhr.open('POST', url);
    xhr.setRequestHeader('authorization', authorization);
    signal.addEventListener('abort', () => xhr.abort());
    if (signal.aborted) failed();
    else xhr.send(form);
  });
}
