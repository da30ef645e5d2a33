/**
 * Webhooks that came for this node, also while it was away: the edge keeps them, sealed to a key that this node has. They
 * are pulled, opened, and handed to whoever has taken their hook.
 */
import { existsSync, rmSync } from "node:fs";
import { z } from "zod";
import type { HookHandler, HookTerms } from "./hook.ts";
import { inboxKeyOfPem, type InboxKey } from "./inbox-key.ts";
import { runLane } from "./lane.ts";
import { Outcomes } from "./outcomes.ts";
import { decideBackoffMs } from "../../shared/backoff.ts";
import type { Clock } from "../../shared/clock.ts";
import { AppError, errorText } from "../../shared/errors.ts";
import { toHex } from "../../shared/hex.ts";
import { deliveriesSchema, maxPollMs, type SealedDelivery } from "../../shared/inbox/messages.ts";
import type { Log } from "../../shared/log.ts";
import { writeFileAtomic } from "../../shared/nodejs/files.ts";
import type { EdgeClient } from "../../shared/registry/edge-client.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

export interface InboxOptions {
  readonly node: NodeId;
  readonly edge: EdgeClient;
  /** PEM of the X25519 key; asked for when there is something to seal. */
  readonly key: () => Promise<string>;
  /** Exists while the edge keeps webhooks for this node, so that it can be told when nobody wants them any more. */
  readonly path: string;
  /** Under which this process holds its name; undefined: not (yet). */
  readonly epoch: () => number | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

const backoff = { baseMs: 200, maxMs: 30_000 };
/** Between two looks whether the node is registered. */
const epochLookMs = 250;
/** Between two pulls; see the limit of nonces in outcomes.ts. */
const gapMs = 250;
/** How long a pull waits at the edge while some hooks are busy here, which then may want more. */
const busyPollMs = 1_000;
/** Beyond what it waits at the edge. */
const answerMs = 10_000;

export class Inbox {
  readonly #options: InboxOptions;
  readonly #outcomes: Outcomes;
  readonly #hooks = new Map<string, { handler: HookHandler; terms: HookTerms }>();
  readonly #busy = new Set<string>();
  #declared: number | undefined;
  #dead = 0;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#outcomes = new Outcomes(options);
  }

  /** Has `handler` take what comes for a hook. Before {@link run}; throws when it is taken already. */
  take(hook: string, handler: HookHandler, terms: HookTerms = {}): void {
    if (this.#hooks.has(hook)) throw new AppError("name-taken", `The hook ${hook} is taken already.`);
    this.#hooks.set(hook, { handler, terms });
  }

  /** Pulls until the signal aborts. Never throws. Where no hook is taken, nothing is asked of the edge. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, random, key, path } = this.#options;
    if (this.#hooks.size === 0 && !existsSync(path)) return;
    for (let attempt = 0; !signal.aborted;) {
      try {
        const epoch = await this.#epoch(signal);
        const opened = inboxKeyOfPem(await key());
        if (this.#declared !== epoch) await this.#declare(epoch, opened, signal);
        if (this.#hooks.size === 0) return;
        await this.#pull(epoch, opened, signal);
        attempt = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof AppError && error.code === "not-found") this.#declared = undefined;
        const waitMs = decideBackoffMs(attempt++, { ...backoff, random });
        log.warn("inbox.failed", { error: errorText(error), retryInMs: waitMs });
        await clock.sleep(waitMs, signal).catch(() => {});
      }
    }
  }

  async #epoch(signal: AbortSignal): Promise<number> {
    for (;;) {
      const epoch = this.#options.epoch();
      if (epoch !== undefined) return epoch;
      await this.#options.clock.sleep(epochLookMs, signal);
    }
  }

  async #declare(epoch: number, key: InboxKey, signal: AbortSignal): Promise<void> {
    const { node, edge, path, log } = this.#options;
    const hooks = [...this.#hooks].map(
      ([
        name,
        {
          terms: { secret, maxBytes },
        },
      ]) => ({ name, secret, maxBytes }),
    );
    const body = { epoch, key: toHex(key.publicKey), secret: key.secret, hooks };
    // Before the edge keeps anything: a crash in between costs a declaration more, not one less.
    if (hooks.length > 0) writeFileAtomic(path, JSON.stringify({ hooks: [...this.#hooks.keys()] }), 0o600);
    await edge.request("PUT", `/v1/nodes/${node}/inbox`, z.unknown(), { body, signal });
    if (hooks.length === 0) rmSync(path, { force: true });
    this.#declared = epoch;
    log.info("inbox.declared", { hooks: hooks.length });
  }

  async #pull(epoch: number, key: InboxKey, signal: AbortSignal): Promise<void> {
    const { node, edge, clock, log } = this.#options;
    const waitMs = this.#busy.size > 0 ? busyPollMs : maxPollMs;
    const query = new URLSearchParams({
      epoch: String(epoch),
      wait: String(waitMs),
      except: [...this.#busy].join(),
    });
    const path = `/v1/nodes/${node}/inbox?${query.toString()}`;
    const { deliveries, dead } = await edge.request("GET", path, deliveriesSchema, {
      signal,
      timeoutMs: waitMs + answerMs,
    });
    for (const [hook, ofHook] of Map.groupBy(deliveries, (one) => one.hook))
      this.#start(hook, ofHook, epoch, key, signal);
    if (dead > this.#dead)
      log.warn("inbox.dead", { dead, remedy: "These were given up; the edge keeps them for two weeks." });
    this.#dead = dead;
    await clock.sleep(gapMs, signal);
  }

  #start(hook: string, deliveries: SealedDelivery[], epoch: number, key: InboxKey, signal: AbortSignal): void {
    const { node, clock, log } = this.#options;
    const taken = this.#hooks.get(hook);
    if (!taken || this.#busy.has(hook)) return;
    this.#busy.add(hook);
    const lane = { node, key, epoch, handler: taken.handler, outcomes: this.#outcomes, clock, log };
    void runLane(deliveries, lane, signal).finally(() => this.#busy.delete(hook));
  }
}
