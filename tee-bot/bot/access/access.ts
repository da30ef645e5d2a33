/** Who may talk to the bot, where, and how much. */
import type { MessageEvent } from "../events/event.ts";

export type Admission =
  | {
      readonly admitted: true;
      /** The first message of this person, or in this group: they are told once what this is. */
      readonly isFirst: boolean;
    }
  /** `say`: told to the person; undefined: silence. */
  | { readonly admitted: false; readonly say: string | undefined };

export interface Access {
  /**
   * Asked once for each message; `isCommand` as commands are answered in groups without a mention, and cost less. Counts
   * the message towards the person's limits. Asked again for the same message, after a crash, the answer is the same.
   * Throws `AppError` when what is remembered cannot be read or kept now.
   */
  admit(event: MessageEvent, isCommand: boolean): Promise<Admission>;
}
