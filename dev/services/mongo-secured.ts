import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from './certificates.ts';
import { freePort } from './free-port.ts';
import { launch } from './launch.ts';
import { becomePrimary, localMongo, type RunningMongo, withAdmin } from './mongo.ts';
import { together } from './together.ts';

/** In addition to the documented rights in its own database, each test may drop databases. */
const ROLES = ['readWriteAnyDatabase', 'dbAdminAnyDatabase', 'endAbandoned'];

/**
 * Starts a MongoDB as a replica set of one that takes connections with TLS and a login only. Its
 * URL names the user and the file of the authority, which go with `stop`.
 * @throws ServiceUnavailable
 */
export async function startSecuredMongo(): Promise<RunningMongo> {
  const folder = await mkdtemp(join(tmpdir(), 'chat-test-mongo-tls-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const { server, ca } = await makeCertificates(folder);
    const keyFile = join(folder, 'keyfile');
    await writeFile(keyFile, randomBytes(48).toString('base64'), { mode: 0o600 });
    const password = randomBytes(12).toString('hex');
    const tls = ['--tlsMode', 'requireTLS', '--tlsCertificateKeyFile', server.bothPath, '--tlsCAFile', ca.certPath];
    const args = [
      '--wiredTigerCacheSizeGB',
      '0.25',
      ...tls,
      '--tlsAllowConnectionsWithoutCertificates',
      '--keyFile',
      keyFile,
    ];
    let url = '';
    const { running } = await launch(async () => {
      const port = await freePort();
      const query = `directConnection=true&tls=true&tlsCAFile=${encodeURIComponent(ca.certPath)}`;
      const anonymous = `mongodb://127.0.0.1:${port}/?${query}`;
      const as = (user: string) => `mongodb://${user}:${password}@127.0.0.1:${port}/?${query}&authSource=admin`;
      url = as('chat');
      let hasUsers = false;
      return {
        name: 'MongoDB',
        local: (data) => localMongo({ port, args, folder: data }),
        probe: async () => {
          if (!hasUsers) {
            // A server without users lets a connection from this machine make the first one.
            await becomePrimary(anonymous, port);
            await makeUsers(anonymous, as('root'), password);
            hasUsers = true;
          }
          await withAdmin(url, async (command) => {
            if ((await command({ hello: 1 })).isWritablePrimary !== true) throw new Error('not yet primary');
          });
        },
      };
    });
    const stop = async () => {
      await running.stop();
      await remove();
    };
    return { ...together([running], stop), url };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function makeUsers(anonymous: string, root: string, password: string): Promise<void> {
  await withAdmin(anonymous, async (command) => {
    await command({ createUser: 'root', pwd: password, roles: ['root'] });
  });
  await withAdmin(root, async (command) => {
    const privileges = [{ resource: { cluster: true }, actions: ['inprog', 'killAnySession'] }];
    await command({ createRole: 'endAbandoned', privileges, roles: [] });
    await command({ createUser: 'chat', pwd: password, roles: ROLES });
  });
}
