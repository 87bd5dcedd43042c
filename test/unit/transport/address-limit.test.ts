import { expect, it } from 'vitest';
import { AddressLimit } from '../../../src/adapters/transport/address-limit.ts';
import { MemoryConnection } from '../../support/memory-connection.ts';

/** A connection from a given address. */
class AddressConnection extends MemoryConnection {
  override readonly remoteAddress: string;

  constructor(address: string) {
    super();
    this.remoteAddress = address;
  }
}

function setUp(max: number) {
  const limit = new AddressLimit(max);
  return (address: string) => {
    const connection = new AddressConnection(address);
    connection.listener = limit.admit(connection, () => ({ onMessage: () => {}, onClose: () => {} }));
    return connection;
  };
}

it('closes a connection over the limit of its address, and accepts another when one ends', () => {
  const connect = setUp(2);
  const [first] = [connect('10.0.0.1'), connect('10.0.0.1')];
  expect(connect('10.0.0.1').closed).toEqual({ code: 1008, reason: 'too many connections from one address' });
  expect(connect('10.0.0.2').isOpen).toBe(true);
  first?.vanish();
  expect(connect('10.0.0.1').isOpen).toBe(true);
  expect(connect('10.0.0.1').isOpen).toBe(false);
});

it('counts a network of IPv6 as one address', () => {
  const connect = setUp(2);
  connect('2001:db8:1:2::1');
  connect('2001:db8:1:2:ffff::1');
  expect(connect('2001:db8:1:2:3:4:5:6').isOpen).toBe(false);
  expect(connect('2001:db8:1:3::1').isOpen).toBe(true);
});
