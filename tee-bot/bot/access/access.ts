/** Who may talk to the bot, where, and how much. */
import type { MessageEvent } from "../events/event.ts";

export type Admission =
  | {
      readonly admitted: true;
      /** The first message of this person, who is told once what this is. */
      readonly isFirst: boolean;
    }
  /** `say`: told to the person; undefined: silence. */
  | { readonly admitted: false; readonly say: string | undefined };

export interface Access {
  /**
   * Asked once for each message; `isCommand` as commands are answered in groups without a mention, and cost less. Counts
   * the message towards the person's limits.
   */
  admit(event: MessageEvent, isCommand: boolean): Promise<Admission>;
}
