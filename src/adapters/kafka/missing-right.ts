import type { KafkaDriver } from './driver.ts';

/** A right that an operator can give by an ACL. */
export interface Right {
  /** The operation as ACLs name it, such as `Read`. */
  readonly operation: string;
  readonly resource: 'topic' | 'group';
  /** Name of the topic or group. */
  readonly name: string;
}

/** The user of this server has no right that it needs. Waiting does not help. */
export class MissingRightError extends Error {
  override readonly name = 'MissingRightError';

  constructor({ operation, resource, name }: Right, cause: unknown) {
    super(`the Kafka user has no right to ${operation} on the ${resource} ${name}`, { cause });
  }
}

/**
 * Runs a request about topics or groups. If Kafka refuses it for a missing right, the request is
 * repeated for each name alone, because the answer does not say which name is meant.
 * @throws MissingRightError
 */
export async function withRight<T>(
  classify: KafkaDriver['classify'],
  { operation, resource, names }: Pick<Right, 'operation' | 'resource'> & { readonly names: readonly string[] },
  request: (names: readonly string[]) => Promise<T>,
): Promise<T> {
  const isMissing = (error: unknown) => classify(error).kind === 'unauthorized';
  try {
    return await request(names);
  } catch (error) {
    if (!isMissing(error)) throw error;
    for (const name of names.length > 1 ? names : []) {
      const refusal = await request([name]).then(
        () => null,
        (reason: unknown) => (isMissing(reason) ? new MissingRightError({ operation, resource, name }, reason) : null),
      );
      if (refusal !== null) throw refusal;
    }
    throw new MissingRightError({ operation, resource, name: names.join(', ') }, error);
  }
}
