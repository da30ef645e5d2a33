/** A command is said to the bot, never to the model: `!help`. */
import type { MessageEvent } from "../events/event.ts";
import type { ReplyAttachment } from "../mail/mailbox.ts";

export interface CommandCall {
  readonly event: MessageEvent;
  /** What stands behind the command's name. */
  readonly rest: string;
  readonly signal: AbortSignal;
}

/** In Markdown. */
export interface CommandAnswer {
  readonly text: string;
  readonly attachment?: ReplyAttachment | undefined;
}

export interface Command {
  /** Without the `!`. */
  readonly name: string;
  readonly aliases: readonly string[];
  /** How it is written with what it takes: `!model N`. */
  readonly usage: string;
  /** One line of `!help`. */
  readonly summary: string;
  /** For `!help name`. */
  readonly detail: string;
  /** Is answered at once, though another message of the same chat is in hand. */
  readonly isUrgent?: boolean;
  run(call: CommandCall): Promise<CommandAnswer>;
}
