import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files whose length their size does not tell, the longest first. The page has less patience than
 * the others, so its files come after the storm.
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
 * The order of test files: the long ones begin first, so that no worker is left alone with one at
 * the end. Vitest knows this by itself only from its second run on.
 */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const group = (file: TestSpecification) => file.project.config.sequence.groupOrder;
    return sorted.sort((a, b) => group(a) - group(b) || place(a) - place(b));
  }
}
