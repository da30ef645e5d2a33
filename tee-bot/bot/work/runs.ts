/** The mail in hand: whoever works on one has a signal, and may be stopped by what people do meanwhile. */
import { chatName, type BotEvent, type Chat } from "../events/event.ts";
import type { Mail } from "../mail/mailbox.ts";

/** `stopped`: a person does not want the answer; `withdrawn`: nor the question; `stopping`: the bot goes, and does it later. */
export type Ending = "stopped" | "withdrawn" | "stopping";

export interface Run extends Disposable {
  readonly mail: Mail;
  readonly signal: AbortSignal;
  /** Undefined: nobody has ended it. */
  readonly ending: Ending | undefined;
}

interface MessageKey {
  readonly account: string;
  readonly person: string;
  readonly timestamp: number;
}

export class Runs {
  readonly #runs = new Set<OpenRun>();
  readonly #isUrgent: (event: BotEvent) => boolean;

  /** Urgent mail is what stops others, so it is not stopped with them. */
  constructor(isUrgent: (event: BotEvent) => boolean) {
    this.#isUrgent = isUrgent;
  }

  get size(): number {
    return this.#runs.size;
  }

  begin(mail: Mail): Run {
    const run = new OpenRun(mail, () => this.#runs.delete(run));
    this.#runs.add(run);
    return run;
  }

  /** Whether there was something to stop. */
  stop(chat: Chat): boolean {
    const name = chatName(chat);
    const found = this.#of(({ event }) => chatName(event.chat) === name && !this.#isUrgent(event));
    for (const run of found) run.end("stopped");
    return found.length > 0;
  }

  /** Ends the work on a message that its author took back; resolves when it has ended. Whether there was such work. */
  async withdraw(message: MessageKey): Promise<boolean> {
    const found = this.#on(message);
    for (const run of found) run.end("withdrawn");
    await ended(found);
    return found.length > 0;
  }

  /** Resolves when nobody works on a message. */
  async finished(message: MessageKey): Promise<void> {
    await ended(this.#on(message));
  }

  endAll(ending: Ending): void {
    for (const run of this.#runs) run.end(ending);
  }

  /** Resolves when none of those there are now is left. */
  async settled(): Promise<void> {
    await ended([...this.#runs]);
  }

  #on(message: MessageKey): OpenRun[] {
    return this.#of(({ event }) => event.kind === "message" && isSame(event, message));
  }

  #of(matches: (mail: Mail) => boolean): OpenRun[] {
    return [...this.#runs].filter(({ mail }) => matches(mail));
  }
}

async function ended(runs: readonly OpenRun[]): Promise<void> {
  await Promise.all(runs.map(({ done }) => done));
}

function isSame(one: MessageKey, other: MessageKey): boolean {
  return one.account === other.account && one.person === other.person && one.timestamp === other.timestamp;
}

class OpenRun implements Run {
  readonly mail: Mail;
  readonly done: Promise<void>;
  readonly #controller = new AbortController();
  readonly #onEnd: () => void;
  #finish = (): void => {};
  #ending: Ending | undefined;

  constructor(mail: Mail, onEnd: () => void) {
    this.mail = mail;
    this.#onEnd = onEnd;
    this.done = new Promise((resolve) => (this.#finish = resolve));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** The first reason stays. */
  end(ending: Ending): void {
    this.#ending ??= ending;
    this.#controller.abort();
  }

  [Symbol.dispose](): void {
    this.#onEnd();
    this.#finish();
  }
}
