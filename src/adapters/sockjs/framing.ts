import type { TransportName } from '../transport/connection.ts';

/** How one HTTP transport puts SockJS frames into a response. */
export interface Framing {
  readonly name: TransportName;
  readonly contentType: string;
  /** What a streaming response begins with; undefined where a response is over after one frame. */
  readonly prelude: string | undefined;
  wrap(frame: string): string;
}

const javascript = 'application/javascript; charset=UTF-8';

function line(frame: string): string {
  return `${frame}\n`;
}

export const xhr: Framing = { name: 'xhr', contentType: javascript, prelude: undefined, wrap: line };

export const xhrStreaming: Framing = {
  name: 'xhr_streaming',
  contentType: javascript,
  // Some browsers show nothing of a response before 2 KiB of it have come.
  prelude: line('h'.repeat(2048)),
  wrap: line,
};

export const eventSource: Framing = {
  name: 'eventsource',
  contentType: 'text/event-stream',
  prelude: '\r\n',
  wrap: (frame) => `data: ${frame}\r\n\r\n`,
};

const callbackName = /^[a-zA-Z0-9\-_.]{1,128}$/;

/** Whether a callback's name may be written into a script. */
export function isCallback(name: string): boolean {
  return callbackName.test(name);
}

export function jsonp(callback: string): Framing {
  return {
    name: 'jsonp',
    contentType: javascript,
    prelude: undefined,
    // The comment in front keeps the answer from passing for another file type that starts with the callback.
    wrap: (frame) => `/**/${callback}(${JSON.stringify(frame)});\r\n`,
  };
}

export function htmlFile(callback: string): Framing {
  return {
    name: 'htmlfile',
    contentType: 'text/html; charset=UTF-8',
    prelude: `${htmlPrelude(callback).padEnd(1024)}\r\n\r\n`,
    // Here a message stands inside HTML: it must not be able to end the script element.
    wrap: (frame) => `<script>\np(${JSON.stringify(frame).replaceAll('<', '\\u003c')});\n</script>\r\n`,
  };
}

// The protocol fixes this page to the letter, the callback's name apart.
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
