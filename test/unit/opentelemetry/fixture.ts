import { RecordedTelemetry } from '../../../dev/recorded-telemetry.ts';
import { type OpenTelemetryOptions, OpenTelemetrySpans } from '../../../src/adapters/opentelemetry/spans.ts';
import { createStompEndpoint, StompSubscribers } from '../../../src/adapters/stomp/endpoint.ts';
import { SystemIdSource } from '../../../src/adapters/system/id-source.ts';
import type { ApplicationPorts } from '../../../src/application/application-ports.ts';
import { TestWorld } from '../../support/application.ts';
import { MemoryConnection } from '../../support/memory-connection.ts';
import { passTime } from '../../support/pass-time.ts';
import { frame, LIMITS } from '../stomp/fixture.ts';

export const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
/** The position of a client that traces its message. */
export const PARENT = `00-${TRACE_ID}-b7ad6b7169203331-01`;

/** The spans of a server that sends them to the collector. */
export function spansOf(url: string, options: Partial<OpenTelemetryOptions> = {}): OpenTelemetrySpans {
  return new OpenTelemetrySpans({
    url,
    headers: {},
    serviceName: 'chat-server',
    server: 'one',
    version: '1.2.3',
    sampler: 'parentbased_always_on',
    ratio: 1,
    telemetry: new RecordedTelemetry(),
    ...options,
  });
}

/**
 * Two servers with STOMP endpoints, on one bus and one store.
 * @param ports replaces ports of both servers
 */
export async function twoServers(
  url: string,
  options: Partial<OpenTelemetryOptions> = {},
  ports: (world: TestWorld, spans: OpenTelemetrySpans) => Partial<ApplicationPorts> = () => ({}),
) {
  const world = await TestWorld.open();
  const start = async (id: string) => {
    const telemetry = new RecordedTelemetry();
    const spans = spansOf(url, { server: id, telemetry, ...options });
    const ids = new SystemIdSource();
    const subscribers = new StompSubscribers({
      limits: LIMITS,
      fileLink: (key) => key,
      ids,
      clock: world.clock,
      spans,
    });
    const server = await world.server({ id, ports: { subscribers: subscribers.port, spans, ...ports(world, spans) } });
    const { app } = server;
    const endpoint = createStompEndpoint({
      application: app,
      subscribers,
      limits: LIMITS,
      telemetry,
      ids,
      baseUrl: () => '',
    });
    const connect = async (token: string, subscribes = true) => {
      const connection = new MemoryConnection();
      connection.listener = endpoint.accept(connection);
      connection.say(`CONNECT\naccept-version:1.2\naccess-token:${token}\n\n\0`);
      if (!subscribes) return connection;
      const subscribe = { id: 'a', destination: `/topic/direct/${world.roomId}`, receipt: 'subscribed' };
      connection.say(frame('SUBSCRIBE', subscribe));
      while (connection.received.length < 2) await passTime(world.clock, 50);
      return connection;
    };
    return { spans, connect, telemetry };
  };
  const [one, two] = [await start('one'), await start('two')];
  await passTime(world.clock, 500);
  const say = (connection: MemoryConnection, headers: Readonly<Record<string, string>> = {}) =>
    connection.say(
      frame(
        'SEND',
        { destination: '/kafka/send-direct-message', receipt: 'sent', ...headers },
        {
          channelId: world.roomId,
          userId: world.ada.userId,
          name: 'Ada',
          profileImage: null,
          content: 'a secret text',
        },
      ),
    );
  /** Lets time pass until the client has got so many messages with the text. */
  const heard = async ({ received }: MemoryConnection, messages: number) => {
    const count = () => received.filter((text) => text.includes('a secret text')).length;
    while (count() < messages) await passTime(world.clock, 50);
    // The spans of the last message end with the flush of the sockets.
    await passTime(world.clock, 100);
  };
  return { world, one, two, say, heard };
}
