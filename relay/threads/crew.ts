/**
 * Several workers that share the relay's port, each in a thread of its own: the kernel spreads connections among them.
 * This is their head: it tells all what the edge tells, and starts again a thread that has ended.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type ListenOptions } from "node:net";
import { MessageChannel } from "node:worker_threads";
import type { MetricObject } from "prom-client";
import { decideReconnectMs } from "../../shared/backoff.ts";
import { maxRoutesPerMessage, type FeedMessage } from "../../shared/registry/feed.ts";
import type { FleetRelay } from "../../shared/registry/messages.ts";
import type { Goaway } from "../../shared/tunnel/control.ts";
import { PassTable } from "../tunnel/pass-table.ts";
import type { Routing } from "../edge/routing.ts";
import type { RelayWorker, WorkerCounts, WorkerOptions } from "../worker.ts";
import { SharedCounts } from "./counts.ts";
import { Member } from "./member.ts";
import type { Command, ThreadStart } from "./messages.ts";
import { hopSecretBytes } from "./hop-link.ts";

const ticketSecretBytes = 32;
/** A thread that has run for so long did not fail at its start. */
const steadyMs = 10_000;

export interface CrewOptions extends Omit<WorkerOptions, "team"> {
  /** Starts a thread. */
  spawn?: ((start: ThreadStart) => Member) | undefined;
}

/** Resolves when every thread is there; rejects when one cannot start. */
export async function startCrew(options: CrewOptions): Promise<RelayWorker> {
  const crew = new Crew(options);
  try {
    await crew.start();
    return crew;
  } catch (error) {
    await crew[Symbol.asyncDispose]();
    throw error;
  }
}

class Crew implements RelayWorker {
  readonly #options: CrewOptions;
  readonly #shared: Omit<ThreadStart, "thread">;
  readonly #counts: SharedCounts;
  readonly #members = new Map<number, Member>();
  readonly #stop = new AbortController();
  #port = 0;
  #fleet: readonly FleetRelay[] | undefined;
  #isInformed = false;
  #draining = false;

  constructor(options: CrewOptions) {
    this.#options = options;
    const { config, identity } = options;
    this.#shared = {
      config,
      identity,
      passes: PassTable.memory(config.workers),
      counts: SharedCounts.memory(config.workers),
      ticketSecret: randomBytes(ticketSecretBytes),
      hopSecret: randomBytes(hopSecretBytes),
    };
    this.#counts = new SharedCounts(this.#shared.counts);
  }

  get counts(): WorkerCounts {
    return this.#counts.total;
  }

  async start(): Promise<void> {
    const threads = Array.from({ length: this.#options.config.workers }, (_, thread) => thread);
    await Promise.all(threads.map((thread) => this.#begin(thread)));
  }

  async listen({ host, port }: ListenOptions): Promise<number> {
    if (port) await refuseTaken({ host, port });
    this.#port = port ?? 0;
    for (const member of this.#members.values()) this.#port = await member.listen(this.#port);
    return this.#port;
  }

  take(message: FeedMessage): void {
    const { routing, clock } = this.#options;
    routing.apply(message, clock.now());
    if (message.type === "delta") this.#tellAll({ type: "take", message });
    // All at once, so that a thread that starts meanwhile does not miss the first parts.
    else if (message.last) for (const part of snapshotOf(routing)) this.#tellAll({ type: "take", message: part });
  }

  takeFleet(fleet: readonly FleetRelay[]): void {
    this.#fleet = fleet;
    this.#tellAll({ type: "take-fleet", fleet });
  }

  inform(): void {
    this.#isInformed = true;
    this.#tellAll({ type: "inform" });
  }

  async metrics(): Promise<(readonly MetricObject[])[]> {
    return Promise.all([...this.#members.values()].map((member) => member.measure()));
  }

  refuseTunnels(goaway: Goaway): void {
    this.#draining = true;
    this.#tellAll({ type: "refuse-tunnels", goaway });
  }

  announce(goaway: Goaway): Promise<void> {
    this.#tellAll({ type: "announce", goaway });
    return Promise.resolve();
  }

  close(goaway: Goaway): void {
    this.#tellAll({ type: "close", goaway });
  }

  async emptied(): Promise<void> {
    await Promise.all([...this.#members.values()].map((member) => member.emptied));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all([...this.#members.values()].map((member) => member.stop()));
  }

  /** Starts a thread and makes it known to the others; resolves when it may listen. */
  async #begin(thread: number): Promise<void> {
    const { spawn = (start) => new Member(start), log, routing } = this.#options;
    const member = spawn({ ...this.#shared, thread });
    member.onLogged = (lines) => {
      for (const [level, event, fields] of lines) log[level](event, { ...fields, worker: thread });
    };
    await member.ready;
    for (const other of this.#members.values()) join(member, other);
    this.#members.set(thread, member);
    void member.ended.then((reason) => this.#ended(member, reason));
    if (routing.cursor !== undefined) for (const message of snapshotOf(routing)) member.tell({ type: "take", message });
    if (this.#fleet) member.tell({ type: "take-fleet", fleet: this.#fleet });
    if (this.#isInformed) member.tell({ type: "inform" });
  }

  #ended(member: Member, reason: string): void {
    const { log, clock } = this.#options;
    const { thread } = member;
    this.#members.delete(thread);
    this.#counts.forget(thread);
    if (this.#stop.signal.aborted) return;
    log.error("worker.ended", { worker: thread, reason });
    this.#tellAll({ type: "sibling-ended", thread });
    if (!this.#draining) void this.#restart(thread, clock.now() - member.startedAt >= steadyMs ? 0 : 1);
  }

  async #restart(thread: number, failures: number): Promise<void> {
    const { clock, log, random } = this.#options;
    const { signal } = this.#stop;
    const lostAt = clock.now();
    for (let attempt = failures; !signal.aborted && !this.#draining; attempt++) {
      const waitMs = decideReconnectMs(attempt, clock.now() - lostAt, random);
      await clock.sleep(waitMs, signal).catch(() => {});
      if (signal.aborted) return;
      try {
        await this.#begin(thread);
        await this.#members.get(thread)?.listen(this.#port);
        return log.info("worker.restarted", { worker: thread });
      } catch (error) {
        log.error("worker.failed", { worker: thread, error: String(error) });
      }
    }
  }

  #tellAll(command: Command): void {
    for (const member of this.#members.values()) member.tell(command);
  }
}

function join(one: Member, other: Member): void {
  const { port1, port2 } = new MessageChannel();
  one.tell({ type: "sibling", thread: other.thread, port: port1, hopPort: other.hopPort });
  other.tell({ type: "sibling", thread: one.thread, port: port2, hopPort: one.hopPort });
}

function* snapshotOf(routing: Routing): Generator<FeedMessage> {
  const routes = routing.all();
  const cursor = routing.cursor ?? "";
  for (let at = 0; at === 0 || at < routes.length; at += maxRoutesPerMessage) {
    const last = at + maxRoutesPerMessage >= routes.length;
    yield { type: "snapshot", cursor, routes: routes.slice(at, at + maxRoutesPerMessage), first: at === 0, last };
  }
}

/** Ports that are shared can be taken twice without an error, by another relay for one. */
async function refuseTaken(at: ListenOptions): Promise<void> {
  const probe = createServer().listen(at);
  await once(probe, "listening");
  probe.close();
  await once(probe, "close");
}
