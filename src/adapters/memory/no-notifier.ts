import type { Notifier } from '../../application/ports/notifier.ts';

/** The notifier of a server without a notification service: it notifies nobody. */
export class NoNotifier implements Notifier {
  readonly isEnabled = false;

  async notify(): Promise<void> {}
}
