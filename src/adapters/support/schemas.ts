import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { z as Zod } from 'zod';

/** The functions of zod that build schemas. */
export type SchemaBuilder = typeof Zod;

/**
 * Returns a function that returns the schemas. They are built at its first call, and zod is loaded
 * then: a server that checks nothing with zod is 4 MB smaller.
 */
export function schemas<T>(build: (z: SchemaBuilder) => T): () => T {
  let built: { readonly schemas: T } | null = null;
  return () => {
    built ??= { schemas: build(loadZod()) };
    return built.schemas;
  };
}

function loadZod(): SchemaBuilder {
  // The file that `import` would load. `require('zod')` would load a second copy.
  return createRequire(import.meta.url)(fileURLToPath(import.meta.resolve('zod'))).z;
}
