import type { Application } from '../../src/application/application.ts';

/**
 * An application that has only the calls that a test of an inbound adapter needs. Any other call
 * throws an error with its name.
 */
export function partialApplication(calls: Partial<Application>): Application {
  return new Proxy(calls, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value === 'function') return value.bind(target);
      if (value !== undefined) return value;
      return () => {
        throw new Error(`the test does not expect the call ${String(name)}`);
      };
    },
  }) as Application;
}
