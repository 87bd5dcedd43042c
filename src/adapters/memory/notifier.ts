import type { Notifier } from '../../application/ports/notifier.ts';

/** Stands where no notification service is configured: nobody is pushed. */
export class SilentNotifier implements Notifier {
  async notify(): Promise<void> {}
}
