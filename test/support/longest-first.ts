import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files whose length their size does not tell, the longest first. `durability` is the storm. The
 * files of the page begin when it is nearly over, because the browser's waits are short.
 */
const LONG = [
  'e2e/durability',
  'contracts/kafka-message-bus.int',
  'contracts/kafka-cluster.int',
  'contracts/kafka-message-bus-platformatic.int',
  'integration/stacks',
  'e2e/workers-embedded',
  'e2e/killed-and-stopped',
  'e2e/page-defects',
  'e2e/page.e2e',
];

function place({ moduleId }: TestSpecification): number {
  const found = LONG.findIndex((name) => moduleId.includes(`test/${name}`));
  return found < 0 ? LONG.length : found;
}

/**
 * The order of test files: those of `LONG`, then the order of Vitest, which knows only from the
 * second run on how long a file takes. So no worker is left alone with a long one at the end.
 */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const group = (file: TestSpecification) => file.project.config.sequence.groupOrder;
    return sorted.sort((a, b) => group(a) - group(b) || place(a) - place(b));
  }
}
