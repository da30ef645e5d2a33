/** The work of the bot with a real store of conversations, and stand-ins for the model, Signal, people and their commands. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock, type Clock } from "../../../../shared/clock.ts";
import { AppError } from "../../../../shared/errors.ts";
import type { Log } from "../../../../shared/log.ts";
import { Sensitive } from "../../../../shared/sensitive.ts";
import type { Access, Admission } from "../../../../tee-bot/bot/access/access.ts";
import { ToldOnce } from "../../../../tee-bot/bot/answer/told-once.ts";
import type { Transcriber } from "../../../../tee-bot/bot/answer/transcriber.ts";
import type { BotWork, Command } from "../../../../tee-bot/bot/commands/command.ts";
import type { ConversationStore } from "../../../../tee-bot/bot/conversations/conversation-store.ts";
import { openConversations } from "../../../../tee-bot/bot/conversations/open-conversations.ts";
import type { BotEvent, DeletionEvent, EditEvent, MessageEvent } from "../../../../tee-bot/bot/events/event.ts";
import type { Model, ModelAnswer, ModelQuestion, OfferedModel } from "../../../../tee-bot/bot/model/model.ts";
import { openWork, type Work } from "../../../../tee-bot/bot/open-work.ts";
import type { People, Remembered } from "../../../../tee-bot/bot/people/people.ts";
import type { Messenger } from "../../../../tee-bot/bot/send/messenger.ts";
import { signalSettingsSchema, type SignalSettings } from "../../../../tee-bot/bot/settings.ts";
import type { z } from "zod";
import { MemoryMailbox } from "./memory-mailbox.ts";

export const ada = "11111111-1111-4111-8111-111111111111";
export const bob = "22222222-2222-4222-8222-222222222222";
export const account = "+15550000001";
const waitMs = 5_000;

export function said(text: string, timestamp: number, more: Partial<MessageEvent> = {}): MessageEvent {
  const person = more.person ?? ada;
  return {
    kind: "message",
    account,
    person,
    name: undefined,
    number: undefined,
    timestamp,
    chat: { kind: "direct", person },
    text: new Sensitive(text),
    attachments: [],
    isViewOnce: false,
    expiresInSeconds: undefined,
    isMention: false,
    quote: undefined,
    ...more,
  };
}

export function edited(target: MessageEvent, text: string, timestamp: number): EditEvent {
  return { ...target, kind: "edit", text: new Sensitive(text), timestamp, target: target.timestamp };
}

export function takenBack(target: MessageEvent, timestamp: number): DeletionEvent {
  const { person, name, number, chat } = target;
  return { kind: "deletion", account, person, name, number, chat, timestamp, target: target.timestamp };
}

/** Says what it is told to, and keeps what it was asked. */
export class ScriptedModel implements Model {
  readonly asked: ModelQuestion[] = [];
  offered: OfferedModel[] = [];
  reply: (question: ModelQuestion) => Promise<string> = (question) => Promise.resolve(`echo: ${lastSaid(question)}`);

  async ask(question: ModelQuestion): Promise<ModelAnswer> {
    this.asked.push(question);
    const text = new Sensitive(await this.reply(question));
    return { text, model: "scripted", provider: "test", attestation: undefined, requestId: undefined, isCut: false };
  }

  list(): Promise<OfferedModel[]> {
    return Promise.resolve(this.offered);
  }
}

export function lastSaid({ messages }: Pick<ModelQuestion, "messages">): string {
  const content = messages.at(-1)?.content ?? "";
  return typeof content === "string"
    ? content
    : content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** Waits until it is aborted, as a model that writes for long does. */
export function untilAborted({ signal }: ModelQuestion): Promise<string> {
  return new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true }),
  );
}

export class RecordingMessenger implements Messenger {
  readonly files = new Map<string, Uint8Array>();
  readonly discarded: string[] = [];
  readonly read: number[] = [];
  typingNow = 0;
  typingBegun = 0;

  typing(): Disposable {
    this.typingNow++;
    this.typingBegun++;
    return { [Symbol.dispose]: () => void this.typingNow-- };
  }
  markRead(_account: string, _person: string, timestamp: number): void {
    this.read.push(timestamp);
  }
  download({ id }: { id: string }, maxBytes: number): Promise<Uint8Array> {
    const file = this.files.get(id);
    if (!file) return Promise.reject(new AppError("not-found", "There is no such file."));
    if (file.length > maxBytes) return Promise.reject(new AppError("too-large", "The file is too large."));
    return Promise.resolve(file);
  }
  discard({ id }: { id: string }): void {
    this.discarded.push(id);
  }
}

class MemoryPeople implements People {
  readonly #known = new Map<string, Remembered>();
  read(name: string): Promise<Remembered> {
    return Promise.resolve(this.#known.get(name) ?? ({ isGreeted: false, isPaired: false } as Remembered));
  }
  async change(name: string, change: Partial<Remembered>): Promise<void> {
    this.#known.set(name, { ...(await this.read(name)), ...change });
  }
  forget(name: string): Promise<void> {
    this.#known.delete(name);
    return Promise.resolve();
  }
  [Symbol.dispose](): void {}
}

export interface WorkWorldOptions {
  readonly settings?: z.input<typeof signalSettingsSchema>;
  readonly clock?: Clock;
  readonly log?: Log;
  readonly admit?: (event: MessageEvent) => Admission;
  readonly transcriber?: Transcriber;
  readonly commands?: (work: BotWork) => readonly Command[];
  readonly refusal?: () => string | undefined;
  /** In place of the real one. */
  readonly conversations?: (real: ConversationStore) => ConversationStore;
}

export class WorkWorld implements AsyncDisposable {
  readonly settings: SignalSettings;
  readonly mailbox: MemoryMailbox;
  readonly model = new ScriptedModel();
  readonly messenger = new RecordingMessenger();
  readonly conversations: ConversationStore;
  readonly people = new MemoryPeople();
  readonly oldHistories = new ToldOnce();
  readonly work: Work;
  readonly #stop = new AbortController();
  readonly #folder = mkdtempSync(join(tmpdir(), "postern-work-"));
  readonly #running: Promise<void>;

  constructor(options: WorkWorldOptions = {}) {
    const { clock = systemClock, log = silent, admit = () => ({ admitted: true, isFirst: false }) } = options;
    const isUrgent = (event: BotEvent): boolean =>
      event.kind === "deletion" || event.kind === "edit" || (event.kind === "message" && said1(event) === "!stop");
    this.settings = signalSettingsSchema.parse({ api: "http://127.0.0.1:9", ...options.settings });
    this.mailbox = new MemoryMailbox(clock, isUrgent);
    const storageKey = new Uint8Array(32);
    const real = openConversations({ folder: this.#folder, mode: "ephemeral", storageKey, clock, log });
    this.conversations = options.conversations?.(real) ?? real;
    const access: Access = { admit: (event) => Promise.resolve(admit(event)) };
    this.work = openWork({
      settings: this.settings,
      mailbox: this.mailbox,
      messenger: this.messenger,
      model: this.model,
      conversations: this.conversations,
      people: this.people,
      access,
      commands: (work) => {
        const commands = options.commands?.(work) ?? usualCommands(work);
        return (message) => {
          const text = message.text.reveal();
          const [word = "", ...rest] = text.split(" ");
          const command = commands.find(({ name }) => `!${name}` === word);
          if (command) return { kind: "command", command, rest: rest.join(" ") };
          if (word.startsWith("!")) return { kind: "unknown", say: "I know no such command." };
          return { kind: "text", text };
        };
      },
      isUrgent,
      transcriber: options.transcriber,
      oldHistories: this.oldHistories,
      welcome: "Welcome!",
      refusal: () => options.refusal?.(),
      onEvent: () => {},
      clock,
      log,
    });
    this.#running = this.work.run(this.#stop.signal);
  }

  /** What a person sees of the answer to a message, once there is one. */
  async answerTo(event: BotEvent): Promise<string[]> {
    this.mailbox.put(event);
    await this.until(() => this.mailbox.answered.some(({ event: { timestamp } }) => timestamp === event.timestamp));
    return this.repliesTo(event.timestamp);
  }

  repliesTo(timestamp: number): string[] {
    const found = this.mailbox.answered.filter(({ event }) => event.timestamp === timestamp);
    return found.flatMap(({ replies }) => replies.map(({ plain }) => plain.reveal()));
  }

  async until(condition: () => boolean): Promise<void> {
    const deadline = Date.now() + waitMs;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error("what was waited for has not happened");
      await delay(2);
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.conversations[Symbol.dispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

function said1({ text }: MessageEvent): string {
  return text.reveal();
}

function usualCommands(work: BotWork): Command[] {
  const texts = { aliases: [], usage: "", summary: "", detail: "" };
  return [
    { ...texts, name: "help", run: () => Promise.resolve({ text: "This is help." }) },
    {
      ...texts,
      name: "stop",
      isUrgent: true,
      run: ({ event }) => Promise.resolve({ text: work.stop(event.chat) ? "Stopped." : "Nothing to stop." }),
    },
    { ...texts, name: "retry", run: (call) => work.retry(call) },
    {
      ...texts,
      name: "clear",
      run: ({ event: { chat } }) => {
        work.forget({ chat });
        return Promise.resolve({ text: "Cleared." });
      },
    },
  ];
}
