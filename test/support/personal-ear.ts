import type { Caller } from '../../src/application/commands.ts';
import type { PersonalListener } from '../../src/application/ports/personal-listener.ts';
import type { PersonalEvent } from '../../src/domain/personal-event.ts';
import type { PlaceKey } from '../../src/domain/place.ts';
import { completed, type TestServer } from './application.ts';
import { TestClient } from './test-client.ts';

/** A session that listens to the personal events of its user and records them. */
export class PersonalEar implements PersonalListener {
  readonly sessionId: string;
  readonly heard: PersonalEvent[] = [];
  /** The places to which the session is subscribed, according to the test. */
  readonly subscribed = new Set<PlaceKey>();
  #wake: () => void = () => {};

  /** Begins a session of the user that listens. */
  static async listen({ app }: TestServer, caller: Caller, sessionId: string): Promise<PersonalEar> {
    const ear = new PersonalEar(sessionId);
    app.userConnected({ sessionId, token: caller.token, claimedUserId: null, client: new TestClient() });
    await completed(() => app.listenToPersonalEvents(caller, ear));
    return ear;
  }

  private constructor(sessionId: string) {
    this.sessionId = sessionId;
  }

  isSubscribedTo(place: PlaceKey): boolean {
    return this.subscribed.has(place);
  }

  hear(event: PersonalEvent): void {
    this.heard.push(event);
    this.#wake();
  }

  /** Resolves to the events heard so far once there are at least `count`. */
  async hears(count: number): Promise<readonly PersonalEvent[]> {
    while (this.heard.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.heard;
  }
}
