import { describe, expect, it } from 'vitest';
import { check, type Fault, type FinalEvent, type LoggedEvent, type RunRecord } from '../../dev/durability/checker.ts';

const PLACE = 'r-1';

interface Recording {
  readonly records: RunRecord[];
  readonly history: FinalEvent[];
  readonly log: LoggedEvent[];
}

/**
 * A run without a defect: three messages, an edit of the second and a deletion of the third. One
 * subscriber resumes once.
 */
function clean(): Recording {
  const log: LoggedEvent[] = [
    { kind: 'create', seq: 1, id: 'a', nonce: 'n1', content: 'one' },
    { kind: 'create', seq: 2, id: 'b', nonce: 'n2', content: 'two' },
    { kind: 'create', seq: 3, id: 'c', nonce: 'n3', content: '' },
    { kind: 'modify', seq: 4, id: 'b', nonce: 'n4', content: 'two, edited' },
    { kind: 'delete', seq: 5, id: 'c', nonce: 'n5', content: '' },
  ];
  const history: FinalEvent[] = [
    { seq: 1, id: 'a', nonce: 'n1', content: 'one' },
    { seq: 2, id: 'b', nonce: 'n2', content: 'two, edited' },
  ];
  const records: RunRecord[] = [{ what: 'subscribed', subscriber: 's', place: PLACE, from: 0 }];
  for (const { seq, id, nonce } of log) {
    const told = { place: PLACE, seq, id };
    records.push({ what: 'sent', nonce: nonce ?? '', place: PLACE });
    records.push({ what: 'acked', nonce: nonce ?? '', ...told });
    if (seq === 3) records.push({ what: 'subscribed', subscriber: 's', place: PLACE, from: 2 });
    records.push({ what: 'delivered', subscriber: 's', nonce, ...told });
  }
  return { records, history, log };
}

function faultsOf({ records, history, log }: Recording): Fault[] {
  const verdict = check({
    records,
    history: new Map([[PLACE, history]]),
    log: new Map([[PLACE, log]]),
    newest: new Map([[PLACE, 5]]),
    complete: new Set(['s']),
  });
  return [...new Set(verdict.findings.map(({ fault }) => fault))];
}

function at<T>(list: readonly T[], index: number): T {
  const one = list[index];
  if (one === undefined) throw new Error(`nothing at ${index}`);
  return one;
}

function delivered(records: readonly RunRecord[], seq: number): number {
  return records.findIndex((record) => record.what === 'delivered' && record.seq === seq);
}

describe('the checker of recorded runs', () => {
  it('finds nothing in a run without a defect', () => {
    expect(faultsOf(clean())).toEqual([]);
  });

  it('finds a planted loss', () => {
    const run = clean();
    run.log.splice(1, 1);
    expect(faultsOf(run)).toEqual(expect.arrayContaining(['acknowledged but not stored', 'log not dense']));
  });

  it('reports a message that is missing only in the history', () => {
    const run = clean();
    run.history.splice(0, 1);
    expect(faultsOf(run)).toEqual(['history and log disagree']);
  });

  it('finds an acknowledged edit that the history does not show', () => {
    const run = clean();
    run.history[1] = { ...at(run.history, 1), content: 'two' };
    expect(faultsOf(run)).toEqual(['history and log disagree']);
  });

  it('finds an acknowledged deletion that had no effect', () => {
    const run = clean();
    run.history.push({ seq: 3, id: 'c', nonce: 'n3', content: '' });
    expect(faultsOf(run)).toEqual(['history and log disagree']);
  });

  it('finds a message that was stored twice', () => {
    const run = clean();
    run.log.push({ kind: 'create', seq: 6, id: 'again', nonce: 'n2', content: 'two' });
    expect(faultsOf(run)).toContain('stored twice');
  });

  it('finds a planted duplicate delivery', () => {
    const run = clean();
    const spot = delivered(run.records, 2);
    run.records.splice(spot, 0, at(run.records, spot));
    expect(faultsOf(run)).toEqual(['delivered twice or out of order']);
  });

  it('finds planted disorder', () => {
    const run = clean();
    const [first, second] = [delivered(run.records, 4), delivered(run.records, 5)];
    const swapped = [at(run.records, first), at(run.records, second)];
    run.records[second] = at(swapped, 0);
    run.records[first] = at(swapped, 1);
    expect(faultsOf(run)).toContain('delivered twice or out of order');
  });

  it('finds a planted gap, also behind a resume and at the end', () => {
    for (const seq of [2, 3, 5]) {
      const run = clean();
      run.records.splice(delivered(run.records, seq), 1);
      expect(faultsOf(run)).toEqual([seq === 5 ? 'missing at the end' : 'gap']);
    }
    const resumed = clean();
    const again = resumed.records.findIndex((record) => record.what === 'subscribed' && record.from === 2);
    resumed.records[again] = { what: 'subscribed', subscriber: 's', place: PLACE, from: 1 };
    expect(faultsOf(resumed)).toEqual(['gap']);
  });

  it('finds that a subscriber saw another order', () => {
    const run = clean();
    run.records.push({ what: 'delivered', subscriber: 't', place: PLACE, seq: 1, id: 'other', nonce: null });
    expect(faultsOf(run)).toContain('two orders');
  });

  it('finds a delivery of a message that was never stored', () => {
    const run = clean();
    run.records.push({ what: 'delivered', subscriber: 't', place: PLACE, seq: 6, id: 'ghost', nonce: null });
    expect(faultsOf(run)).toContain('delivered but never stored');
  });

  it('finds an answer that changed', () => {
    const run = clean();
    run.records.push({ what: 'acked', place: PLACE, nonce: 'n1', seq: 2, id: 'b' });
    expect(faultsOf(run)).toContain('acknowledged under two numbers');
  });

  it('finds a number below one that was acknowledged before the message was sent', () => {
    const run = clean();
    const sent = run.records.findIndex((record) => record.what === 'sent' && record.nonce === 'n1');
    run.records.push(...run.records.splice(sent, 2));
    expect(faultsOf(run)).toContain('acknowledged earlier, numbered later');
  });
});
