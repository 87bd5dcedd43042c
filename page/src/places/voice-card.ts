import type { Session } from '../state/session.ts';
import { Ends, follow } from '../state/signal.ts';
import { el, setText } from '../support/dom.ts';
import { icon } from '../support/icons.ts';
import { en, ko } from '../words/dialogs.ts';
import { inLanguage } from '../words/index.ts';

/** Says in which voice channel the user is, at the foot of the list. */
export class VoiceCard {
  readonly node = el('div', { id: 'voice-card', hidden: true });
  readonly #ends = new Ends();

  constructor(session: Session) {
    const text = inLanguage({ en, ko }).voice;
    const title = el('strong', { dir: 'auto' });
    const leave = el('button', { type: 'button', onclick: () => session.voice.set(null) }, text.leave);
    this.node.append(icon('voice'), el('span', { class: 'card-text' }, title, el('span', {}, text.connected)), leave);
    this.#ends.add(
      follow(() => {
        const place = session.places.find(session.voice.value);
        this.node.hidden = place === undefined;
        setText(title, place?.title ?? '');
      }, session.voice),
    );
  }

  end(): void {
    this.#ends.end();
  }
}
