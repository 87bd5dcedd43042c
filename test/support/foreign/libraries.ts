import { fileURLToPath } from 'node:url';
import { cached, jars, run } from '../../../dev/services/package-cache.ts';

/** How to start a program that reads and writes JSON lines. */
export interface ForeignProgram {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const STOMP_PY = ['stomp.py==8.2.0', 'websocket-client==1.8.0'];
const SPRING = '5.3.39';
const SPRING_JARS = [
  `org.springframework:spring-websocket:${SPRING}`,
  `org.springframework:spring-messaging:${SPRING}`,
  'org.glassfish.tyrus.bundles:tyrus-standalone-client:1.20',
  'com.fasterxml.jackson.core:jackson-databind:2.17.2',
];

/** Python's stomp.py, downloaded by pip. @throws ServiceUnavailable */
export async function stompPy(): Promise<ForeignProgram> {
  const folder = await cached('stomp.py-8.2.0', (target) =>
    run('stomp.py', 'python3', [
      ...['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check', '--target', target],
      ...STOMP_PY,
    ]),
  );
  return {
    program: 'python3',
    args: [fileURLToPath(new URL('stomp_client.py', import.meta.url))],
    env: { PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' },
  };
}

export type SpringTransport = 'websocket' | 'sockjs-websocket' | 'sockjs-xhr' | 'sockjs-polling';

/** Spring's STOMP client, downloaded from Maven Central. @throws ServiceUnavailable */
export async function springClient(): Promise<(transport: SpringTransport) => ForeignProgram> {
  const folder = await jars("Spring's STOMP client", `spring-websocket-${SPRING}`, SPRING_JARS);
  const source = fileURLToPath(new URL('SpringClient.java', import.meta.url));
  return (transport) => ({ program: 'java', args: ['-Xmx128m', '-cp', `${folder}/*`, source, transport] });
}
