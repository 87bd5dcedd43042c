import { MongoServerError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { asStoreRefusal, clientOf } from '../../../src/adapters/mongo/database.ts';

describe('the options of the client', () => {
  it('cannot be weakened by the URL: majority reads and writes, journalled, on the primary', () => {
    const weak = [
      'w=1&journal=false&wtimeoutMS=1&readConcernLevel=local&readPreference=secondaryPreferred',
      'retryReads=false&retryWrites=true&serverSelectionTimeoutMS=60000&appName=other',
    ];
    for (const url of ['mongodb://127.0.0.1:1/?', 'mongodb+srv://user:password@cluster0.example.net/chat?']) {
      const { options } = clientOf(url + weak.join('&'));
      expect(options).toMatchObject({
        writeConcern: { w: 'majority', j: true, wtimeout: 4_000 },
        readConcern: { level: 'majority' },
        readPreference: { mode: 'primary' },
        retryReads: true,
        retryWrites: false,
        serverSelectionTimeoutMS: 3_000,
        appName: 'chat-server',
      });
    }
  });

  it('takes a URL of the form mongodb+srv, with the host, the database and TLS that it names', () => {
    const { options } = clientOf('mongodb+srv://user:password@cluster0.example.net/talk');
    expect(options).toMatchObject({ srvHost: 'cluster0.example.net', dbName: 'talk', tls: true });
  });
});

describe('an error of MongoDB', () => {
  it.each([
    ['NotWritablePrimary', 10107],
    ['PrimarySteppedDown', 189],
    ['InterruptedDueToReplStateChange', 11602],
    ['InterruptedAtShutdown', 11600],
    ['Interrupted', 11601],
    ['WriteConcernTimeout', 64],
    ['UnsatisfiableWriteConcern', 100],
    ['CursorNotFound', 43],
    ['FailedToSatisfyReadPreference', 133],
  ])('becomes try-again if it ends with a new primary: %s', (codeName, code) => {
    expect(asStoreRefusal(new MongoServerError({ message: codeName, code, codeName })).code).toBe('try-again');
  });

  it('becomes try-again if its label says that a new attempt helps', () => {
    const error = new MongoServerError({ message: 'x', code: 1, errorLabels: ['TransientTransactionError'] });
    expect(asStoreRefusal(error).code).toBe('try-again');
  });

  it.each([
    ['Unauthorized', 13],
    ['DocumentValidationFailure', 121],
    ['OutOfDiskSpace', 14031],
  ])('becomes store-failed if MongoDB refuses the operation: %s', (codeName, code) => {
    expect(asStoreRefusal(new MongoServerError({ message: codeName, code, codeName })).code).toBe('store-failed');
  });
});
