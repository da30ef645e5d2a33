/**
 * The engine as long as it is wanted: started by the first connection, again after a crash, and stopped when nobody
 * has been connected for a while.
 */
import { connect, type Socket } from "node:net";
import type { Clock } from "../../../shared/clock.ts";
import { errorText } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import type { EngineModel } from "../messages.ts";
import { startEngineChild, type EngineChild } from "./child.ts";
import { decideStartAt, rememberMs } from "./restart.ts";

export interface EngineProcessOptions {
  models: readonly EngineModel[];
  idleMs: number;
  clock: Clock;
  log: Log;
}

export class EngineProcess implements AsyncDisposable {
  readonly #options: EngineProcessOptions;
  readonly #loaded = new Set<string>();
  readonly #connections = new Set<Socket>();
  #connecting = 0;
  #child: Promise<EngineChild> | undefined;
  #stopping: Promise<void> = Promise.resolve();
  #crashes: number[] = [];
  #lastCrash = "";
  #idle: AbortController | undefined;
  readonly #ending = new AbortController();

  constructor(options: EngineProcessOptions) {
    this.#options = options;
  }

  /** Models in its memory. */
  get loaded(): ReadonlySet<string> {
    return this.#loaded;
  }

  /** Why it is not started at present; undefined: it would be. */
  get trouble(): string | undefined {
    const now = this.#options.clock.now();
    const waitMs = decideStartAt(this.#crashes, now) - now;
    if (waitMs <= 0) return undefined;
    const seconds = Math.ceil(waitMs / 1_000);
    const times = this.#crashes.length;
    return `The engine has failed ${times} times, last with ${this.#lastCrash}. It is started again in ${seconds} s.`;
  }

  /** A connection to the engine, which is started if it does not run. */
  async connect(): Promise<Socket> {
    this.#connecting++;
    this.#idle?.abort();
    try {
      const { socket: path } = await (this.#child ??= this.#start());
      return await this.#open(path);
    } finally {
      this.#connecting--;
      this.#checkIdle();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Error("The engine is not in use any more."));
    this.#idle?.abort();
    await this.#stop("the node lets go of it");
  }

  async #start(): Promise<EngineChild> {
    const { models, clock, log } = this.#options;
    try {
      await this.#stopping;
      const { trouble } = this;
      this.#ending.signal.throwIfAborted();
      if (trouble !== undefined) throw new Error(trouble);
      const startedAt = clock.now();
      const child = await startEngineChild({
        models,
        clock,
        log,
        onLoaded: (model) => {
          this.#loaded.add(model);
          log.info("model.loaded", { model });
        },
        onCrash: (how) => this.#crashed(how),
        signal: this.#ending.signal,
      });
      log.info("engine.started", { pid: child.pid, tookMs: clock.now() - startedAt });
      return child;
    } catch (error) {
      this.#child = undefined;
      if (this.trouble === undefined && !this.#ending.signal.aborted) this.#note(errorText(error));
      throw error;
    }
  }

  #open(path: string): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        this.#connections.add(socket);
        socket.once("close", () => {
          this.#connections.delete(socket);
          this.#checkIdle();
        });
        resolve(socket);
      });
    });
  }

  #crashed(how: string): void {
    this.#child = undefined;
    this.#loaded.clear();
    this.#note(how);
  }

  #note(how: string): void {
    const { clock, log } = this.#options;
    const now = clock.now();
    this.#crashes = [...this.#crashes.filter((at) => now - at < rememberMs), now];
    this.#lastCrash = how;
    log.warn("engine.crashed", { how, times: this.#crashes.length });
  }

  #checkIdle(): void {
    this.#idle?.abort();
    if (this.#connections.size + this.#connecting > 0 || !this.#child || this.#ending.signal.aborted) return;
    const { clock, idleMs } = this.#options;
    const idle = new AbortController();
    this.#idle = idle;
    void clock.sleep(idleMs, idle.signal).then(
      () => this.#stop("nobody has asked it for a while"),
      () => {}, // somebody did
    );
  }

  /** Whoever connects meanwhile waits for its end, and gets the next. */
  #stop(why: string): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    this.#loaded.clear();
    this.#stopping = this.#end(this.#stopping, child, why);
    return this.#stopping;
  }

  async #end(before: Promise<void>, child: Promise<EngineChild> | undefined, why: string): Promise<void> {
    await before;
    const running = await child?.catch(() => undefined); // one that did not start has told so
    if (!running) return;
    await running.stop();
    this.#options.log.info("engine.stopped", { why });
  }
}
