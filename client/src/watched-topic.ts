import type { Body } from './connection.ts';
import { Store } from './store.ts';
import type { Topic } from './topic.ts';

/** A value that is kept current from a topic while somebody watches it. */
export abstract class WatchedTopic<T> extends Store<T> {
  /** @param make makes the snapshot */
  constructor(topic: Topic, make: () => T) {
    let stop: readonly (() => void)[] = [];
    super(make, (isWatched) => {
      for (const each of stop) each();
      stop = [];
      if (!isWatched) return this.unwatched();
      const live = () => topic.state === 'live' && this.live();
      stop = [topic.onState.add(live), topic.listen((body) => this.heard(body))];
      live();
    });
  }

  /** The subscription is live, so everything that comes from now on is heard. */
  protected abstract live(): void;
  protected abstract heard(body: Body): void;
  protected unwatched(): void {}
}
