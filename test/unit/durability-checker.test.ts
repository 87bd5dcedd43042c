import { describe, expect, it } from 'vitest';
import { check, type Fault, type Recorded, type Run } from '../support/durability/checker.ts';

const PLACE = 'r-1';

/** A run without a fault: three messages, one subscriber who comes back once. */
function clean(): { records: Recorded[]; history: { seq: number; id: string; nonce: string }[] } {
  const events = [1, 2, 3].map((seq) => ({ seq, id: `id${seq}`, nonce: `n${seq}` }));
  const records: Recorded[] = [{ what: 'subscribed', subscriber: 's', place: PLACE, from: 0 }];
  for (const event of events) {
    records.push({ what: 'sent', nonce: event.nonce, place: PLACE });
    records.push({ what: 'acked', place: PLACE, ...event });
    if (event.seq === 3) records.push({ what: 'subscribed', subscriber: 's', place: PLACE, from: 2 });
    records.push({ what: 'delivered', subscriber: 's', place: PLACE, ...event });
  }
  return { records, history: events };
}

function faultsOf({ records, history }: ReturnType<typeof clean>): Fault[] {
  const run: Run = {
    records,
    history: new Map([[PLACE, history]]),
    newest: new Map([[PLACE, 3]]),
    complete: new Set(['s']),
  };
  return [...new Set(check(run).findings.map(({ fault }) => fault))];
}

function delivered(records: Recorded[], seq: number): number {
  return records.findIndex((record) => record.what === 'delivered' && record.seq === seq);
}

describe('the checker of recorded runs', () => {
  it('finds nothing where nothing is wrong', () => {
    expect(faultsOf(clean())).toEqual([]);
  });

  it('finds a planted loss', () => {
    const run = clean();
    run.history.splice(1, 1);
    expect(faultsOf(run)).toContain('acknowledged but not in the history');
  });

  it('finds a planted duplicate in the history', () => {
    const run = clean();
    run.history.push({ seq: 4, id: 'again', nonce: 'n2' });
    expect(faultsOf(run)).toContain('stored twice');
  });

  it('finds a planted duplicate delivery', () => {
    const run = clean();
    const at = delivered(run.records, 2);
    run.records.splice(at, 0, run.records[at] as Recorded);
    expect(faultsOf(run)).toEqual(['delivered twice or out of order']);
  });

  it('finds planted disorder', () => {
    const run = clean();
    const [first, second] = [delivered(run.records, 1), delivered(run.records, 2)];
    const swapped = [run.records[first] as Recorded, run.records[second] as Recorded];
    [run.records[second], run.records[first]] = swapped as [Recorded, Recorded];
    expect(faultsOf(run)).toContain('delivered twice or out of order');
  });

  it('finds a planted gap, also behind a resume', () => {
    for (const seq of [2, 3]) {
      const run = clean();
      run.records.splice(delivered(run.records, seq), 1);
      expect(faultsOf(run)).toEqual([seq === 2 ? 'gap' : 'missing at the end']);
    }
    const resumed = clean();
    const again = resumed.records.findIndex((record) => record.what === 'subscribed' && record.from === 2);
    resumed.records[again] = { what: 'subscribed', subscriber: 's', place: PLACE, from: 1 };
    expect(faultsOf(resumed)).toEqual(['gap']);
  });

  it('finds that two subscribers saw different orders', () => {
    const run = clean();
    run.records.push({ what: 'delivered', subscriber: 't', place: PLACE, seq: 1, id: 'other', nonce: null });
    expect(faultsOf(run)).toContain('two orders');
  });

  it('finds an answer that changed', () => {
    const run = clean();
    run.records.push({ what: 'acked', place: PLACE, nonce: 'n1', seq: 2, id: 'id2' });
    expect(faultsOf(run)).toContain('acknowledged under two numbers');
  });
});
