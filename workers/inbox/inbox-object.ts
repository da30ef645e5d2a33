import { DurableObject } from "cloudflare:workers";
import { decideFullness, decideSetback, isWebhookId } from "./delivery-rules.ts";
import { inboxTables, InboxStore, type HeldDelivery, type HeldInbox } from "./inbox-store.ts";
import { hookRate, maxAttempts, maxHandedBytes, senderRate, sweepMs } from "./limits.ts";
import { Rates } from "./rates.ts";
import { edgeLog } from "../edge-log.ts";
import type { Env } from "../env.ts";
import { settingsOf } from "../object-settings.ts";
import { liveParts, type Parts } from "../parts.ts";
import { migrate } from "../storage/tables.ts";
import { fail, succeed, type Result } from "../../shared/errors.ts";
import { fromHex } from "../../shared/hex.ts";
import type { InboxDeclaration, Outcome } from "../../shared/inbox/messages.ts";
import { sealWebhook } from "../../shared/inbox/sealed-webhook.ts";
import { isSignedBy, isTimely, parseWebhookSecret, signWebhook } from "../../shared/inbox/webhook-signature.ts";
import type { Log } from "../../shared/log.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

export interface IncomingWebhook {
  readonly hook: string;
  /** From where it came, for its rate. */
  readonly sender: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

export interface Handed {
  readonly deliveries: readonly HeldDelivery[];
  readonly dead: number;
}

/**
 * The webhooks that wait for one node, sealed to it. Apart from the node's own object, so that a flood from outside does
 * not stand in the way of its lease. Of a node that has declared nothing, nothing is stored.
 */
export class InboxObject extends DurableObject<Env> {
  readonly #parts: Parts;
  readonly #log: Log;
  readonly #rates = new Rates();
  #store: InboxStore | undefined;
  /** What waits; undefined after changes by which it is counted anew. */
  #load: ReturnType<InboxStore["load"]> | undefined;
  /** Of the newest question; the ones before are answered with nothing. */
  #turn = 0;
  #bell = new AbortController();

  constructor(ctx: DurableObjectState, env: Env, parts: Parts = liveParts) {
    super(ctx, env);
    this.#parts = parts;
    this.#log = edgeLog(settingsOf(env).config.logLevel, parts.clock);
    const tables = ctx.storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'shape'").toArray();
    if (tables.length > 0) this.#open();
  }

  /** What waits of a hook that the node names no more is handed out no more, and ages. */
  async declare(node: NodeId, declaration: InboxDeclaration): Promise<Result<void>> {
    const probe = { id: "", timestamp: "", signature: "", headers: {}, body: new Uint8Array(0) };
    try {
      await sealWebhook(bytesOf(declaration.key), { node, hook: "" }, probe);
    } catch {
      return fail("key-weak", "Nothing can be sealed to this key.");
    }
    const store = this.#open();
    const held = store.read();
    if (held && held.epoch > declaration.epoch) return superseded;
    store.write(node, declaration);
    this.#ring();
    return succeed(undefined);
  }

  /** Keeps a webhook, unless it is kept or was delivered already. */
  async take(webhook: IncomingWebhook): Promise<Result<{ id: string }>> {
    const { hook: name, sender, headers, body } = webhook;
    const now = this.#parts.clock.now();
    const [store, inbox, hook] = [this.#store, this.#store?.read(), this.#store?.hook(name)];
    if (!store || !inbox || !hook) return unknownHook;
    if (!this.#rates.take(`from ${sender}`, senderRate, now)) return tooMany;
    if (body.length > hook.max_bytes) return fail("too-large", `This hook takes at most ${hook.max_bytes} bytes.`);
    const id = headers["webhook-id"] ?? `msg_${crypto.randomUUID()}`;
    if (!isWebhookId(id)) return fail("bad-request", "A webhook-id has 1 to 256 printable characters.");
    if (hook.secret !== null && !(await isBySender(hook.secret, webhook, now))) return notBySender;
    if (!this.#rates.take(`to ${name}`, hookRate, now)) return tooMany;
    if (store.has(name, id)) return succeed({ id });

    const sealed = await sealFor(inbox, webhook, id, now);
    if (this.#store !== store) return unknownHook; // the node has left meanwhile
    const load = (this.#load ??= store.load());
    const full = decideFullness({ hookCount: load.counts.get(name) ?? 0, nodeBytes: load.bytes }, sealed.length);
    if (full) return fail(full.code, full.detail);
    if (!store.add({ hook: name, id, sealed }, now)) return succeed({ id });
    load.counts.set(name, (load.counts.get(name) ?? 0) + 1);
    load.bytes += sealed.length;
    this.#ring();
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(now + sweepMs);
    return succeed({ id });
  }

  /** What is due, apart from the hooks `except`; waits up to `waitMs` for it. A newer question ends the wait. */
  async pull(request: { epoch: number; except: readonly string[]; waitMs: number }): Promise<Result<Handed>> {
    const { epoch, except, waitMs } = request;
    const { clock } = this.#parts;
    const until = clock.now() + waitMs;
    const turn = ++this.#turn;
    this.#ring();
    for (;;) {
      const fenced = this.#fence(epoch);
      if (!fenced.ok) return fenced;
      const store = fenced.value;
      const now = clock.now();
      const { deliveries, nextDue } = turn === this.#turn ? this.#handOut(store, except, now) : nothing;
      if (deliveries.length > 0 || turn !== this.#turn || now >= until)
        return succeed({ deliveries, dead: store.count("dead") });
      await clock.sleep(Math.min(until, nextDue) - now, this.#bell.signal).catch(() => {});
    }
  }

  settle({ epoch, outcomes }: { epoch: number; outcomes: readonly Outcome[] }): Result<void> {
    const fenced = this.#fence(epoch);
    if (!fenced.ok) return fenced;
    const store = fenced.value;
    const { clock, random } = this.#parts;
    const now = clock.now();
    for (const { sequence, outcome } of outcomes) {
      const attempts = store.attempts(sequence);
      if (attempts === undefined) continue; // settled before, and the answer was lost
      const setback = outcome === "failed" ? decideSetback(attempts, now, random) : undefined;
      if (outcome === "done") store.end(sequence, "done", now);
      else if (setback && !setback.dead) store.reckon(sequence, setback);
      else this.#giveUp(store, sequence, attempts);
    }
    this.#load = undefined;
    this.#ring();
    return succeed(undefined);
  }

  /** What was given up is handed out again. */
  revive(epoch: number): Result<void> {
    const fenced = this.#fence(epoch);
    if (!fenced.ok) return fenced;
    fenced.value.revive(this.#parts.clock.now());
    this.#load = undefined;
    this.#ring();
    return succeed(undefined);
  }

  /** The node has said goodbye for good. */
  async forget(): Promise<void> {
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    this.#store = undefined;
    this.#load = undefined;
    this.#ring();
  }

  override async alarm(): Promise<void> {
    const now = this.#parts.clock.now();
    const isLeft = this.#store?.sweep(now) ?? false;
    this.#load = undefined;
    if (isLeft) await this.ctx.storage.setAlarm(now + sweepMs);
  }

  /** The oldest of each hook that are due, and when the next ones are. Counts an attempt for the first of each. */
  #handOut(store: InboxStore, except: readonly string[], now: number): { deliveries: HeldDelivery[]; nextDue: number } {
    const deliveries: HeldDelivery[] = [];
    let nextDue = Infinity;
    let bytesLeft = maxHandedBytes;
    for (const { name } of store.hooks()) {
      if (except.includes(name)) continue;
      const waiting = store.oldest(name, bytesLeft);
      while (waiting[0] && waiting[0].attempts >= maxAttempts) {
        this.#giveUp(store, waiting[0].sequence, waiting[0].attempts);
        waiting.shift();
      }
      const [first] = waiting;
      if (!first) continue;
      if (first.due_at > now) {
        nextDue = Math.min(nextDue, first.due_at);
        continue;
      }
      store.reckon(first.sequence, { attempts: first.attempts + 1, dueAt: first.due_at });
      deliveries.push(...waiting);
      for (const { sealed } of waiting) bytesLeft -= sealed.byteLength;
    }
    return { deliveries, nextDue };
  }

  #giveUp(store: InboxStore, sequence: number, attempts: number): void {
    store.end(sequence, "dead", this.#parts.clock.now());
    this.#load = undefined;
    this.#log.warn("webhook.abandoned", { node: store.read()?.node, sequence, attempts });
  }

  /** Only the newest process of a node's key is answered. */
  #fence(epoch: number): Result<InboxStore> {
    const held = this.#store?.read();
    if (!this.#store || !held) return fail("not-found", "The node has declared no inbox.");
    if (held.epoch > epoch) return superseded;
    this.#store.raiseEpoch(epoch);
    return succeed(this.#store);
  }

  /** Whoever waits looks again. */
  #ring(): void {
    this.#bell.abort();
    this.#bell = new AbortController();
  }

  #open(): InboxStore {
    if (this.#store) return this.#store;
    migrate(this.ctx.storage.sql, [inboxTables]);
    this.#store = new InboxStore(this.ctx.storage.sql);
    return this.#store;
  }
}

const nothing = { deliveries: [], nextDue: Infinity };
const unknownHook = fail("not-found", "No such hook is kept here.");
const superseded = fail("epoch-superseded", "Another process has started with this key since.");
const tooMany = fail("too-many-requests", "Too many webhooks at once. Send it again later.");
const notBySender = fail(
  "signature-invalid",
  "Sign it as Standard Webhooks says with the secret of this hook, not more than 5 minutes ago.",
);

async function isBySender(secret: string, { headers, body }: IncomingWebhook, now: number): Promise<boolean> {
  const { "webhook-id": id, "webhook-timestamp": timestamp = "", "webhook-signature": signatures = "" } = headers;
  if (id === undefined || !isTimely(timestamp, now)) return false;
  return isSignedBy(secretOf(secret), { id, timestamp, body }, signatures);
}

async function sealFor(
  { node, key, secret }: HeldInbox,
  { hook, headers, body }: IncomingWebhook,
  id: string,
  now: number,
): Promise<Uint8Array> {
  const timestamp = String(Math.floor(now / 1_000));
  const signature = await signWebhook(secretOf(secret), { id, timestamp, body });
  return sealWebhook(new Uint8Array(key), { node, hook }, { id, timestamp, signature, headers, body });
}

// Both were checked when they were declared.
const secretOf = (text: string): Uint8Array<ArrayBuffer> => parseWebhookSecret(text) ?? new Uint8Array(0);
const bytesOf = (hex: string): Uint8Array<ArrayBuffer> => fromHex(hex) ?? new Uint8Array(0);
