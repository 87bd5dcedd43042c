import { expect, test } from 'vitest';
import { AddressLimit } from '../../../src/adapters/transport/address-limit.ts';
import { MemoryConnection } from '../stomp/memory-connection.ts';

class From extends MemoryConnection {
  override readonly remoteAddress: string;

  constructor(address: string) {
    super();
    this.remoteAddress = address;
  }
}

function setUp(most: number) {
  const limit = new AddressLimit(most);
  return (address: string) => {
    const connection = new From(address);
    connection.listener = limit.admit(connection, () => ({ onMessage: () => {}, onClose: () => {} }));
    return connection;
  };
}

test('one connection too many of an address is closed with a reason, and one that ends makes room', () => {
  const come = setUp(2);
  const [first] = [come('10.0.0.1'), come('10.0.0.1')];
  expect(come('10.0.0.1').closed).toEqual({ code: 1008, reason: 'too many connections from one address' });
  expect(come('10.0.0.2').isOpen).toBe(true);
  first?.vanish();
  expect(come('10.0.0.1').isOpen).toBe(true);
  expect(come('10.0.0.1').isOpen).toBe(false);
});

test('a network of IPv6 counts as one address', () => {
  const come = setUp(2);
  come('2001:db8:1:2::1');
  come('2001:db8:1:2:ffff::1');
  expect(come('2001:db8:1:2:3:4:5:6').isOpen).toBe(false);
  expect(come('2001:db8:1:3::1').isOpen).toBe(true);
});
