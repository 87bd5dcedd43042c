import type { TransportName } from '../transport/connection.ts';

/** The way in which one HTTP transport puts SockJS frames into a response. */
export interface Framing {
  readonly name: TransportName;
  readonly contentType: string;
  /** The first bytes of a streaming response; null: a response carries one frame. */
  readonly prelude: string | null;
  wrap(frame: string): string;
}

const JAVASCRIPT = 'application/javascript; charset=UTF-8';

function line(frame: string): string {
  return `${frame}\n`;
}

export const xhr: Framing = { name: 'xhr', contentType: JAVASCRIPT, prelude: null, wrap: line };

export const xhrStreaming: Framing = {
  name: 'xhr_streaming',
  contentType: JAVASCRIPT,
  // Some browsers pass on nothing of a response before 2 KiB of it have arrived.
  prelude: line('h'.repeat(2048)),
  wrap: line,
};

export const eventSource: Framing = {
  name: 'eventsource',
  contentType: 'text/event-stream',
  prelude: '\r\n',
  wrap: (frame) => `data: ${frame}\r\n\r\n`,
};

const CALLBACK_NAME = /^[a-zA-Z0-9\-_.]{1,128}$/;

/** Whether the name of a callback may be written into a script. */
export function isCallback(name: string): boolean {
  return CALLBACK_NAME.test(name);
}

export function jsonp(callback: string): Framing {
  return {
    name: 'jsonp',
    contentType: JAVASCRIPT,
    prelude: null,
    // Without the comment in front, a chosen callback could make the answer pass for another file
    // type.
    wrap: (frame) => `/**/${callback}(${JSON.stringify(frame)});\r\n`,
  };
}

export function htmlFile(callback: string): Framing {
  return {
    name: 'htmlfile',
    contentType: 'text/html; charset=UTF-8',
    prelude: `${htmlPrelude(callback).padEnd(1024)}\r\n\r\n`,
    // The frame stands inside HTML, so it must not be able to end the script element.
    wrap: (frame) => `<script>\np(${JSON.stringify(frame).replaceAll('<', '\\u003c')});\n</script>\r\n`,
  };
}

// The protocol defines this page exactly, except for the name of the callback.
function htmlPrelude(callback: string): string {
  return `<!doctype html>
<html><head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
</head><body><h2>Don't panic!</h2>
  <script>
    document.domain = document.domain;
    var c = parent.${callback};
    c.start();
    function p(d) {c.message(d);};
    window.onload = function() {c.stop();};
  </script>
`;
}
