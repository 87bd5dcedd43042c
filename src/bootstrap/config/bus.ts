import { KAFKA_VARIABLES, type KafkaChoice, kafkaOf, kafkaProblems } from './kafka.ts';
import type { ValuesOf } from './variable.ts';

/** The variables of every bus. */
export const BUS_VARIABLES = { ...KAFKA_VARIABLES };

/** `memory` is the bus inside one process. Every other bus is shared by several servers. */
export type BusChoice = { readonly kind: 'memory' } | SharedBusChoice;
type SharedBusChoice = KafkaChoice;

type BusValues = ValuesOf<typeof BUS_VARIABLES>;

interface SharedBus {
  /** The bus is used if this variable is set. */
  readonly chosenBy: keyof BusValues;
  choice(values: BusValues): SharedBusChoice;
  /** The errors of variables that are valid each by itself. */
  problems(values: BusValues, given: ReadonlySet<string>): string[];
}

/** The shared buses. A bus that is missing here does not compile. */
const SHARED_BUSES: { readonly [Kind in SharedBusChoice['kind']]: SharedBus } = {
  kafka: { chosenBy: 'KAFKA_BROKERS', choice: kafkaOf, problems: kafkaProblems },
};

const SHARED: readonly SharedBus[] = Object.values(SHARED_BUSES);

/**
 * A shared bus as messages name it, with the variables that choose one: `a shared bus
 * (KAFKA_BROKERS)`.
 */
export const A_SHARED_BUS = `a shared bus (${SHARED.map(({ chosenBy }) => chosenBy).join(' or ')})`;

/** True if a variable that chooses a shared bus is set, even to a text that is not valid. */
export function asksForSharedBus(given: ReadonlySet<string>): boolean {
  return SHARED.some(({ chosenBy }) => given.has(chosenBy));
}

export function busOf(values: BusValues): BusChoice {
  return SHARED.find(({ chosenBy }) => values[chosenBy] !== null)?.choice(values) ?? { kind: 'memory' };
}

export function busProblems(values: BusValues, given: ReadonlySet<string>): string[] {
  return SHARED.flatMap(({ problems }) => problems(values, given));
}

/**
 * The set variables of buses that are not used: each with the variable that would choose its bus.
 */
export function idleBusVariables(given: ReadonlySet<string>): { readonly name: string; readonly chosenBy: string }[] {
  return SHARED.filter(({ chosenBy }) => !given.has(chosenBy)).flatMap(({ chosenBy }) => {
    const prefix = chosenBy.slice(0, chosenBy.indexOf('_') + 1);
    const names = Object.keys(BUS_VARIABLES).filter((name) => name.startsWith(prefix) && given.has(name));
    return names.map((name) => ({ name, chosenBy }));
  });
}
