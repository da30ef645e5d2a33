/** A command is said to the bot, never to the model: `!help`. */
import type { Chat, MessageEvent } from "../events/event.ts";
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
  /** Why this person may not use it here; undefined: they may. */
  refusal?(event: MessageEvent): string | undefined;
  run(call: CommandCall): Promise<CommandAnswer>;
}

/** What a text is to the bot. */
export type Reading =
  /** For the model, without the mark that kept it from being a command. */
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "command"; readonly command: Command; readonly rest: string }
  /** It looks like a command, and is none. */
  | { readonly kind: "unknown"; readonly say: string };

export type ReadCommand = (message: Pick<MessageEvent, "text" | "isMention">) => Reading;

/** What commands may do to the work of the bot. */
export interface BotWork {
  /** Ends the answer in hand in this chat; whether there was one. */
  stop(chat: Chat): boolean;
  /** Asks the last question of the chat again, as the answer of the command. */
  retry(call: CommandCall): Promise<CommandAnswer>;
  /** What waits in this chat is not answered; how many messages. */
  drop(chat: Chat): number;
  /** Questions of this chat, or of this person, are not asked again. */
  forget(whose: { readonly chat: Chat } | { readonly person: string }): void;
}
