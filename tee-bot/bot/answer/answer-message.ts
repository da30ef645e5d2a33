/** What the bot says to a message: by whether its author may talk to it, what it is, and what the model says. */
import type { Clock } from "../../../shared/clock.ts";
import type { Sensitive } from "../../../shared/sensitive.ts";
import type { Access } from "../access/access.ts";
import type { CommandAnswer, CommandCall, ReadCommand } from "../commands/command.ts";
import type { ConversationStore } from "../conversations/conversation-store.ts";
import { maxMessageBytes } from "../conversations/history.ts";
import { chatName, type MessageEvent } from "../events/event.ts";
import type { Mail, Reply } from "../mail/mailbox.ts";
import type { Messenger } from "../send/messenger.ts";
import type { Run } from "../work/runs.ts";
import type { AskModel } from "./ask-model.ts";
import type { AttachmentReader } from "./attachments.ts";
import type { LastQuestions } from "./last-questions.ts";
import { imageMark, isEmpty, type Question } from "./question.ts";
import { repliesTo, type Saying } from "./replies.ts";
import { sentences } from "./sentences.ts";
import type { ToldOnce } from "./told-once.ts";

export interface AnswerMessageOptions {
  readonly access: Access;
  readonly readCommand: ReadCommand;
  readonly askModel: AskModel;
  readonly attachments: AttachmentReader;
  readonly conversations: Pick<ConversationStore, "lastQuestion">;
  readonly messenger: Pick<Messenger, "typing" | "markRead">;
  readonly lastQuestions: LastQuestions;
  readonly oldHistories: ToldOnce;
  /** For somebody who writes for the first time. */
  readonly welcome: string;
  /** Why nobody may chat now: this node's own evidence is not good, where the settings ask for it. */
  readonly refusal: () => string | undefined;
  /** Makes what shows an answer while it is written; undefined: it is shown when it is all there. */
  readonly onText: ((mail: Mail, event: MessageEvent) => OnText) | undefined;
  readonly maxUnits: number;
  readonly clock: Clock;
}

type OnText = (soFar: Sensitive<string>) => void;

interface AskOptions {
  readonly signal: AbortSignal;
  readonly onText?: OnText | undefined;
}

export class AnswerMessage {
  readonly #options: AnswerMessageOptions;

  constructor(options: AnswerMessageOptions) {
    this.#options = options;
  }

  /** The replies; none: silence. Throws whatever keeps it from an answer. */
  async answer({ mail, signal }: Run, event: MessageEvent): Promise<Reply[]> {
    if (isEmpty(event)) return [];
    const { readCommand, access, messenger, welcome } = this.#options;
    const reading = readCommand(event);
    const admission = await access.admit(event, reading.kind === "command");
    if (!admission.admitted) return admission.say === undefined ? [] : this.#say(event, { text: admission.say });
    messenger.markRead(event.account, event.person, event.timestamp);
    using _typing = messenger.typing(event.account, event.chat);
    const first = admission.isFirst ? this.#say(event, { text: welcome }) : [];
    if (reading.kind === "unknown") return [...first, ...this.#say(event, { text: reading.say })];
    if (reading.kind === "command") {
      const { command, rest } = reading;
      return [...first, ...this.#say(event, await command.run({ event, rest, signal }))];
    }
    // What is shown in between is replaced by the first reply, which is the answer where nobody is welcomed.
    const onText = admission.isFirst ? undefined : this.#options.onText?.(mail, event);
    return [...first, ...this.#say(event, await this.#chat(event, reading.text, { signal, onText }))];
  }

  /** A mail is settled: its files are not needed any more. */
  done({ event }: Mail): void {
    if (event.kind === "message") this.#options.attachments.discard(event.attachments);
  }

  /** Asks the last question of the chat again, which `!retry` does. */
  async retry({ event, signal }: CommandCall): Promise<CommandAnswer> {
    const { lastQuestions, conversations, clock } = this.#options;
    const unanswered = lastQuestions.of(event.chat, clock.now());
    if (unanswered) {
      if (unanswered.attachments.length > 0) return { text: sentences.retryNeedsFile };
      return this.#chat(unanswered, this.#textOf(unanswered), { signal });
    }
    const last = await conversations.lastQuestion(chatName(event.chat));
    if (!last) return { text: sentences.nothingToRetry };
    if (last.content.startsWith(imageMark)) return { text: sentences.retryNeedsFile };
    const asked = { ...event, person: last.person, timestamp: last.timestamps[0] ?? event.timestamp, quote: undefined };
    return this.#ask(asked, { text: last.content, images: [] }, { signal });
  }

  async #chat(event: MessageEvent, text: string, options: AskOptions): Promise<Saying> {
    const { signal } = options;
    if (event.isViewOnce) return { text: sentences.viewOnce };
    if (Buffer.byteLength(text) > maxMessageBytes) return { text: sentences.textTooLong(maxMessageBytes / 1024) };
    const { attachments, askModel, lastQuestions, refusal, clock } = this.#options;
    const refused = refusal();
    if (refused !== undefined) return { text: refused };
    const blindModel = (): Promise<string | undefined> => askModel.blindModel(event, signal);
    const read = await attachments.read(event.attachments, { blindModel, signal });
    if (!read.ok) return { text: read.say };
    lastQuestions.keep(event, clock.now());
    const spoken = [text, read.spoken ?? ""].filter((part) => part !== "").join("\n");
    const answer = await this.#ask(event, { text: spoken, images: read.images }, options);
    lastQuestions.forget(event.chat);
    return answer;
  }

  async #ask(event: MessageEvent, question: Question, options: AskOptions): Promise<Saying> {
    const { askModel, oldHistories } = this.#options;
    const text = await askModel.ask(event, question, options);
    return { text: oldHistories.take(chatName(event.chat)) ? `${sentences.oldHistory}\n\n${text}` : text };
  }

  #say(event: MessageEvent, saying: Saying): Reply[] {
    const replies = repliesTo(event, saying, this.#options);
    if (replies.length > 0) return replies;
    // Markdown of which nothing is seen, such as an empty block of code.
    return repliesTo(event, { ...saying, text: sentences.emptyAnswer }, this.#options);
  }

  #textOf({ text, isMention }: MessageEvent): string {
    const reading = this.#options.readCommand({ text, isMention });
    return reading.kind === "text" ? reading.text : text.reveal();
  }
}
