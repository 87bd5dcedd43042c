import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import type { Firing } from '../services/prometheus.ts';
import type { Trouble } from './troubles.ts';

/** The rules that a storm evaluates: those that operators use. */
export const RULES_FILE = fileURLToPath(new URL('../../deploy/monitoring/rules.yml', import.meta.url));

/** An alert must fire this long after its own `for` at the latest. */
const MAX_LATE_SECONDS = 60;
/**
 * Seconds after a repair in which an alert may still begin: the ranges of the rates reach two
 * minutes back, and `for` takes another one.
 */
const TAIL_SECONDS = 180;

/** What a trouble does to the alerts. */
interface Effect {
  /** The alert that it must raise; null: it must raise none. */
  readonly raises: { readonly alert: string; readonly labels: Readonly<Record<string, string>> } | null;
  /** Alerts that it may raise as well. */
  readonly mayRaise: readonly string[];
}

const NONE: Effect = { raises: null, mayRaise: [] };
/** People wait while a server is frozen, or while nothing can be stored. */
const WAITING = ['ChatReceiptsSlow', 'ChatDeliverySlow'];

/**
 * The effect of a trouble. Cut connections are open again at once. Troubles between clients and
 * servers, and clocks, harm no part of the server: the clients go to another address.
 * @param instances the label `instance` of each server
 */
export function effectOf(trouble: Pick<Trouble, 'part' | 'kind'>, instances: readonly string[]): Effect {
  const { raises, mayRaise } = effectOfLoss(trouble, instances);
  if (raises !== null && mayBeUnnoticed(trouble)) return { raises: null, mayRaise: [...mayRaise, raises.alert] };
  return { raises, mayRaise };
}

/**
 * A network that delays some bytes, and a slow disk. Redis reads on when it cannot write, which
 * ends MongoDB and Kafka.
 */
function mayBeUnnoticed({ part, kind }: Pick<Trouble, 'part' | 'kind'>): boolean {
  return kind === 'lossy' || kind === 'slow-disk' || (kind === 'full-disk' && part === 'redis');
}

function effectOfLoss({ part, kind }: Pick<Trouble, 'part' | 'kind'>, instances: readonly string[]): Effect {
  if (kind === 'cut' || kind === 'elect' || kind === 'clock') return NONE;
  const [, server] = /^server-(\d+)$/.exec(part) ?? [];
  if (server !== undefined) {
    const instance = instances[Number(server) - 1] ?? '';
    return {
      raises: { alert: 'ChatServerDown', labels: { instance } },
      mayRaise: ['ChatServersDisagree', 'ChatConnectionsLost', 'ChatOutboxStuck', 'ChatEventLoopSlow', ...WAITING],
    };
  }
  switch (part) {
    case 'kafka':
      return {
        raises: { alert: 'ChatBusDegraded', labels: { part: 'kafka' } },
        mayRaise: [
          ...['ChatOutboxStuck', 'ChatConsumerSilent', 'ChatConsumersRestart', 'ChatServersDisagree'],
          ...['ChatKafkaLag', 'ChatCallsFail', 'ChatEventsRecovered', ...WAITING],
        ],
      };
    case 'mongo':
      return {
        raises: { alert: 'ChatStoreDegraded', labels: { part: 'mongodb' } },
        mayRaise: ['ChatMessagesRefused', 'ChatOutboxStuck', 'ChatCallsFail', 'ChatEventsRecovered', ...WAITING],
      };
    case 'redis':
    case 'redis-network':
      return {
        raises: { alert: 'ChatNeighbourDegraded', labels: { part: 'redis' } },
        // The presence service keeps its sessions in the same Redis.
        mayRaise: ['ChatNeighbourDegraded', 'ChatNotificationsDropped', 'ChatCallsFail'],
      };
    case 'presence':
      return {
        raises: { alert: 'ChatNeighbourDegraded', labels: { part: 'presence' } },
        mayRaise: ['ChatNotificationsDropped', 'ChatCallsFail'],
      };
    default:
      return NONE;
  }
}

/** One trouble and the alert that it raised. */
export interface RaisedAlert {
  readonly trouble: string;
  /** Null: the trouble must raise none. */
  readonly alert: string | null;
  /**
   * Seconds from the trouble to the alert. 0: it fired already, and went on. Null: it did not fire.
   */
  readonly seconds: number | null;
}

export interface AlertReport {
  readonly raised: readonly RaisedAlert[];
  /** Alerts that a trouble should have raised, and alerts without a trouble. */
  readonly findings: readonly string[];
}

/**
 * Compares troubles with the alerts that fired.
 * @param began when the storm began, in milliseconds since 1970
 * @param holds for each alert the seconds for which its rule must hold
 */
export function judgeAlerts(
  troubles: readonly Trouble[],
  firings: readonly Firing[],
  began: number,
  instances: readonly string[],
  holds: ReadonlyMap<string, number>,
): AlertReport {
  const findings: string[] = [];
  const raised = troubles.map((trouble): RaisedAlert => {
    const { raises } = effectOf(trouble, instances);
    const name = `${trouble.part} ${trouble.kind}`;
    if (raises === null) return { trouble: name, alert: null, seconds: null };
    const at = began + trouble.at;
    // An alert that fires since an earlier trouble counts only if it still fires when this trouble
    // would have raised it.
    const holdMs = (holds.get(raises.alert) ?? 0) * 1_000;
    const [earliest, latest] = [at + holdMs, at + holdMs + MAX_LATE_SECONDS * 1_000];
    const firing = firings.find((one) => isThis(one, raises) && one.until >= earliest && one.from <= latest);
    if (firing === undefined) {
      findings.push(`${name} at ${seconds(trouble.at)} s for ${seconds(trouble.lasts)} s: no ${raises.alert}`);
    }
    const after = firing === undefined ? null : Math.max(0, seconds(firing.from - at));
    return { trouble: name, alert: raises.alert, seconds: after };
  });
  for (const firing of firings) {
    if (troubles.some((trouble) => explains(trouble, firing, began, instances))) continue;
    const labels = JSON.stringify(firing.labels);
    findings.push(`${firing.alert} ${labels} fired at ${seconds(firing.from - began)} s without a trouble`);
  }
  return { raised, findings };
}

/** The seconds for which each rule must hold before its alert fires. */
export function holdTimes(rules: string = readFileSync(RULES_FILE, 'utf8')): Map<string, number> {
  const { groups } = parse(rules) as {
    readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly for?: string }[] }[];
  };
  return new Map(groups.flatMap((group) => group.rules.map((rule) => [rule.alert, secondsOf(rule.for ?? '0s')])));
}

function secondsOf(duration: string): number {
  const [, amount = '0', unit = 's'] = /^(\d+)([smh])$/.exec(duration) ?? [];
  return Number(amount) * (unit === 'h' ? 3_600 : unit === 'm' ? 60 : 1);
}

function isThis({ alert, labels }: Firing, raises: NonNullable<Effect['raises']>): boolean {
  return alert === raises.alert && Object.entries(raises.labels).every(([name, value]) => labels[name] === value);
}

function explains(trouble: Trouble, firing: Firing, began: number, instances: readonly string[]): boolean {
  const { raises, mayRaise } = effectOf(trouble, instances);
  const isEffect = (raises !== null && isThis(firing, raises)) || mayRaise.includes(firing.alert);
  const end = trouble.repairedAt ?? Number.POSITIVE_INFINITY;
  return isEffect && firing.from >= began + trouble.at && firing.from <= began + end + TAIL_SECONDS * 1_000;
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
