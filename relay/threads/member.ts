import { Worker } from "node:worker_threads";
import type { MetricObject } from "prom-client";
import { errorText } from "../../shared/errors.ts";
import type { Command, LogLine, ThreadEvent, ThreadStart } from "./messages.ts";

const startMs = 20_000;
/** For a thread to answer what it has counted, and to stop. */
const answerMs = 2_000;

/** One thread of the relay, as its head sees it. */
export class Member {
  readonly thread: number;
  readonly startedAt: number = Date.now();
  /** Resolves when it obeys; rejects when it ends before. */
  readonly ready: Promise<void>;
  /** Resolves with the reason when it has ended. */
  readonly ended: Promise<string>;
  /** Resolves when it has been closed and no visitor is left, or it has ended. */
  readonly emptied: Promise<void>;
  onLogged: (lines: readonly LogLine[]) => void = () => {};
  readonly #worker: Worker;
  readonly #asked = new Map<number, (metrics: readonly MetricObject[]) => void>();
  #hopPort = 0;
  #lastAsk = 0;
  #problem = "It ended.";
  #onReady: () => void = () => {};
  #onEmptied: () => void = () => {};
  #onStopped: () => void = () => {};
  #onListening: (port: number) => void = () => {};

  constructor(start: ThreadStart) {
    this.thread = start.thread;
    this.#worker = new Worker(new URL("./thread.ts", import.meta.url), { workerData: start, execArgv: [] });
    this.#worker.on("message", (event: ThreadEvent) => this.#take(event));
    this.#worker.on("error", (error) => (this.#problem = errorText(error)));
    this.ended = new Promise((resolve) => this.#worker.once("exit", () => resolve(this.#problem)));
    this.ready = this.#orEnded(new Promise((resolve) => (this.#onReady = resolve)));
    const emptied = new Promise<void>((resolve) => (this.#onEmptied = resolve));
    this.emptied = Promise.race([emptied, this.ended.then(() => undefined)]);
  }

  /** Where it takes visitors of other threads. */
  get hopPort(): number {
    return this.#hopPort;
  }

  tell(command: Command): void {
    this.#worker.postMessage(command, command.type === "sibling" ? [command.port] : []);
  }

  /** Has it take connections; answers the port. Rejects when it cannot. */
  listen(port: number): Promise<number> {
    const listening = new Promise<number>((resolve) => (this.#onListening = resolve));
    this.tell({ type: "listen", port });
    return this.#orEnded(listening);
  }

  /** What it has counted; nothing when it does not answer. */
  measure(): Promise<readonly MetricObject[]> {
    const ask = ++this.#lastAsk;
    return new Promise((resolve) => {
      const answer = (metrics: readonly MetricObject[]): void => {
        clearTimeout(deadline);
        this.#asked.delete(ask);
        resolve(metrics);
      };
      const deadline = setTimeout(() => answer([]), answerMs);
      this.#asked.set(ask, answer);
      this.tell({ type: "measure", ask });
    });
  }

  /** Resets all that it has and ends it. */
  async stop(): Promise<void> {
    const stopped = new Promise<void>((resolve) => (this.#onStopped = resolve));
    this.tell({ type: "stop" });
    await this.#within(answerMs, stopped);
    await this.#within(answerMs, this.kill());
  }

  /** Ends it as an error would. */
  async kill(): Promise<void> {
    await this.#worker.terminate();
  }

  #take(event: ThreadEvent): void {
    switch (event.type) {
      case "ready":
        this.#hopPort = event.hopPort;
        return this.#onReady();
      case "listening":
        return this.#onListening(event.port);
      case "failed":
        this.#problem = event.detail;
        return void this.#worker.terminate();
      case "measured":
        return this.#asked.get(event.ask)?.(event.metrics);
      case "emptied":
        return this.#onEmptied();
      case "stopped":
        return this.#onStopped();
      case "logged":
        return this.onLogged(event.lines);
    }
  }

  async #orEnded<T>(answer: Promise<T>): Promise<T> {
    const failed = this.ended.then((reason) => {
      throw new Error(reason);
    });
    const done = new AbortController();
    const deadline = AbortSignal.any([done.signal, AbortSignal.timeout(startMs)]);
    try {
      return await Promise.race([answer, failed, rejected(deadline)]);
    } finally {
      done.abort();
    }
  }

  /** Resolves with what is awaited, the end of the thread, or the time. */
  async #within(ms: number, awaited: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
    await Promise.race([awaited, this.ended, late]);
    clearTimeout(timer);
  }
}

/** Rejects when the signal aborts. */
function rejected(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
