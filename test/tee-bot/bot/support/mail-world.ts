import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { openMailbox, type MailboxOptions } from "../../../../tee-bot/bot/mail/open-mailbox.ts";
import { openMailSlot } from "../../../../tee-bot/bot/mail/mail-slot.ts";
import type { Mailbox, MailSlot } from "../../../../tee-bot/bot/mail/mailbox.ts";
import { temporaryFolder } from "../../../shared/temporary-folder.ts";
import { recordingLog } from "../../support/log.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const hourMs = 60 * 60 * 1000;

/** A mailbox in a folder of its own, on a clock that the test moves. */
export class MailWorld implements Disposable {
  readonly #stack = new DisposableStack();
  readonly folder = this.#stack.use(temporaryFolder()).path;
  readonly path = join(this.folder, "signal", "mail.sqlite");
  readonly storageKey = randomBytes(32);
  readonly clock = new ManualClock();
  readonly log = recordingLog();

  /** As a new process would open it. */
  open(options: Partial<MailboxOptions> = {}): Mailbox {
    return this.#stack.use(openMailbox({ ...this.#options(), maxAttempts: 3, ...options }));
  }

  openSlot(): MailSlot {
    return this.#stack.use(openMailSlot(this.#options()));
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }

  #options() {
    const { path, storageKey, clock, log } = this;
    return { path, storageKey, clock, log, maxAgeMs: 24 * hourMs };
  }
}
