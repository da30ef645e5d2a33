/**
 * One life of the container: signal-cli and the REST server before it, which die together. signal-cli writes messages and
 * answers into one connection; the server has one reader for it, which calls the webhook itself. So no answer is read
 * while a webhook is open, and a webhook that sends before it answers waits for itself (issue 758 of signal-cli-rest-api).
 */
import type { Clock } from "../../../../shared/clock.ts";
import type { Log } from "../../../../shared/log.ts";
import type { Faults } from "../faults.ts";
import type { Mail, Mailbox } from "../signal/mailbox.ts";
import { Lines } from "./lines.ts";
import type { Receivers } from "./receivers.ts";
import type { Post } from "./webhook.ts";

/** `normal` starts signal-cli for each call, one at a time, and receives only when it is asked to. */
export type Mode = "json-rpc" | "normal";

export interface ContainerOptions {
  readonly mode: Mode;
  readonly mailbox: Mailbox;
  readonly receivers: Receivers;
  readonly post: Post | undefined;
  readonly faults: Faults;
  readonly clock: Clock;
  readonly log: Log;
  /** What happens when signal-cli takes a message, and the line it writes. */
  readonly emit: (mail: Mail) => EmittedLine;
  /** Death by a fault of its own. */
  readonly onCrash: () => void;
}

export interface EmittedLine {
  /** As it is posted, without its newline. */
  readonly text: string;
  /** What WebSocket readers get. */
  readonly params: string;
  readonly account: string;
}

type Item = { readonly mail: Mail; readonly line: EmittedLine } | { readonly answer: () => void };

/** A socket's buffers hold more; a small number lets tests fill them. */
const maxLinesUnderWay = 16;

export class Container {
  readonly #options: ContainerOptions;
  readonly #lines = new Lines<Item>(maxLinesUnderWay);
  readonly #life = new AbortController();
  #openCalls = 0;
  #swapped = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: ContainerOptions) {
    this.#options = options;
    if (options.mode === "normal") return;
    void this.#emit();
    void this.#read();
  }

  /** Aborts when it dies. */
  get life(): AbortSignal {
    return this.#life.signal;
  }

  /** Something that signal-cli does. The answer comes when the reader gets to it; never, if the container dies before. */
  async call<Value>(work: () => Value): Promise<Value> {
    const { faults, mode, onCrash } = this.#options;
    if (++this.#openCalls >= faults.crashAtCalls) onCrash();
    try {
      return await (mode === "normal" ? this.#inTurn(work) : this.#overLines(work));
    } finally {
      this.#openCalls--;
    }
  }

  /** What a poll gets: all that is waiting, after at most `timeoutMs` if nothing is. 0 messages: any number. */
  receive(timeoutMs: number, maxMessages: number): Promise<EmittedLine[]> {
    return this.#queue(async () => {
      const { mailbox, emit, clock } = this.#options;
      const waited = new AbortController();
      const signal = AbortSignal.any([waited.signal, this.life]);
      await Promise.race([mailbox.untilWaiting(signal), clock.sleep(timeoutMs, signal).catch(() => {})]);
      waited.abort();
      const lines: EmittedLine[] = [];
      const most = maxMessages === 0 ? Number.POSITIVE_INFINITY : maxMessages;
      for (let mail = this.#take(); mail; mail = lines.length < most ? this.#take() : undefined) {
        lines.push(emit(mail));
        mailbox.settle(mail.id);
      }
      return lines;
    });
  }

  end(): void {
    this.#life.abort();
    this.#options.receivers.end();
  }

  async #overLines<Value>(work: () => Value): Promise<Value> {
    await this.#latency();
    const value = attempt(work);
    return new Promise<Value>((resolve, reject) => {
      this.#lines.write({ answer: () => (value.ok ? resolve(value.value) : reject(value.error)) });
    });
  }

  #inTurn<Value>(work: () => Value): Promise<Value> {
    return this.#queue(async () => {
      await this.#latency();
      return work();
    });
  }

  /** signal-cli locks its files, so that one process waits for another. */
  #queue<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  async #latency(): Promise<void> {
    const { faults, clock } = this.#options;
    if (faults.callMs > 0) await clock.sleep(faults.callMs, this.life).catch(() => {});
    if (faults.hang || this.life.aborted) await never();
  }

  async #emit(): Promise<void> {
    const { mailbox, emit, faults } = this.#options;
    for (;;) {
      await this.#lines.untilRoom(this.life);
      await mailbox.untilWaiting(this.life);
      if (this.life.aborted) return;
      const mail = this.#take();
      if (!mail) continue;
      const line = emit(mail);
      for (let time = 0; time < (faults.duplicate ? 2 : 1); time++) this.#lines.write({ mail, line });
    }
  }

  #take(): Mail | undefined {
    const { mailbox, faults } = this.#options;
    this.#swapped = faults.reorder && !this.#swapped; // the one that was passed over comes next
    return mailbox.take({ outOfOrder: this.#swapped });
  }

  async #read(): Promise<void> {
    for (;;) {
      const item = await this.#lines.read(this.life);
      if (!item) return;
      if ("answer" in item) item.answer();
      else await this.#deliver(item.mail, item.line);
    }
  }

  async #deliver(mail: Mail, line: EmittedLine): Promise<void> {
    const { receivers, post, mailbox, log } = this.#options;
    const read = receivers.offer(line.account, line.params);
    const failure = post ? await post(line.text, this.life) : "nobody was reading";
    if (this.life.aborted) return; // whoever ended it says what became of the message
    if (failure === undefined || read) return mailbox.settle(mail.id);
    log.warn("message.lost", { reason: failure });
    mailbox.lose(mail.id, failure);
  }
}

/** For a call whose answer nobody will write; its connection ends with the container. */
export function never(): Promise<never> {
  return new Promise(() => {});
}

type Attempt<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: unknown };

function attempt<Value>(work: () => Value): Attempt<Value> {
  try {
    return { ok: true, value: work() };
  } catch (error) {
    return { ok: false, error };
  }
}
