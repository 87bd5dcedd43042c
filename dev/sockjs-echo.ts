import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import { createSockJs, type SockJs } from '../src/adapters/sockjs/sock-js.ts';
import type { Connection, ConnectionListener } from '../src/adapters/transport/connection.ts';
import { acceptHixie76 } from './hixie76/handshake.ts';

/** The services that the public SockJS test suite expects of a server. */
function echoServices(): readonly SockJs[] {
  const common = { responseLimit: 4096, otherHandshake: acceptHixie76 };
  return [
    createSockJs({ ...common, prefix: '/echo', onConnection: echo }),
    createSockJs({ ...common, prefix: '/close', onConnection: goAway }),
    createSockJs({ ...common, prefix: '/disabled_websocket_echo', onConnection: echo, websocket: false }),
    createSockJs({ ...common, prefix: '/cookie_needed_echo', onConnection: echo, cookieNeeded: true }),
  ];
}

function echo(connection: Connection): ConnectionListener {
  return { onMessage: (message) => connection.send(message.toString()), onClose: () => {} };
}

function goAway(connection: Connection): ConnectionListener {
  connection.close(3000, 'Go away!');
  return { onMessage: () => {}, onClose: () => {} };
}

/** Listens on loopback. Port 0 takes any free port. */
export async function startEchoHost(port: number): Promise<Server> {
  const services = echoServices();
  const server = createServer((request, response) => {
    if (services.some((service) => service.handleRequest(request, response))) return;
    response.statusCode = 404;
    response.end();
  });
  server.on('upgrade', (request, socket, head) => {
    if (!services.some((service) => service.handleUpgrade(request, socket, head))) socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const server = await startEchoHost(Number(process.env.PORT ?? 8081));
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`SockJS echo host on http://localhost:${port}\n`);
}
