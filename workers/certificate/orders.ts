/** The certificate orders of one node: taken in by requests, moved by its alarm. */
import { readCsr, type CheckedCsr } from "./csr.ts";
import { orderOf } from "./order-answer.ts";
import { OrderRunner, type OrderRunnerParts } from "./order-runner.ts";
import type { OrderPurpose, OrderStore, StoredOrder } from "./order-store.ts";
import type { Trouble } from "../../shared/acme/ports.ts";
import { AppError } from "../../shared/errors.ts";
import type { Order } from "../../shared/registry/messages.ts";

/** The newest orders are kept, whatever became of them. */
export const maxOrdersKept = 6;
/** The one under way, and what became of the one before. */
const maxRehearsalsKept = 2;
/** Orders that an issuer is busy with at the same time. */
export const maxOrdersProcessing = 3;
/** How long a request waits for its order to come to its end. */
const createWaitMs = 1_000;
/** A step that is due so soon is waited for too: the node need not ask what became of its order. */
const shortWaitMs = 250;

export class Orders {
  readonly #parts: OrderRunnerParts;
  readonly #store: OrderStore;
  readonly #runner: OrderRunner;

  constructor(parts: OrderRunnerParts) {
    this.#parts = parts;
    this.#store = parts.store;
    this.#runner = new OrderRunner(parts);
  }

  /**
   * The order for this request: a new one; or the one that is being processed for the same key and names; or the one
   * that the very same request has made, as long as its certificate is in the first half of its life. One for
   * another key of the same names takes the place of an older one. Throws {@link AppError}.
   */
  async create(csrPem: string, owned: readonly string[]): Promise<Order> {
    this.#parts.issuer("serve");
    const csr = await readCsr(csrPem, owned);
    const digests = [csr.der, keyAndNames(csr), csr.spki].map(sha256Hex);
    const [digest = "", keyDigest = "", spkiDigest] = await Promise.all(digests);

    // From here to the end of #add without a pause, so that two requests never make two orders.
    const again = this.#store.all().find((order) => order.purpose === "serve" && order.digest === digest);
    if (again && isCurrent(again, this.#now())) return this.read(again.id);
    const processing = this.#processing().filter(({ purpose }) => purpose === "serve");
    const same = processing.find((order) => order.keyDigest === keyDigest);
    if (same) return this.read(same.id);
    const older = processing.filter(({ hostnames }) => areSameNames(hostnames, csr.hostnames));
    for (const order of older) this.#runner.abandon(order, replaced);
    if (processing.length - older.length >= maxOrdersProcessing)
      throw new AppError(
        "too-many-requests",
        `At most ${maxOrdersProcessing} orders of a node are processed at a time.`,
      );
    const id = this.#add("serve", { ...csr, digest, keyDigest, spkiDigest });

    const waited = new AbortController();
    await Promise.race([
      this.#follow(id, waited.signal),
      this.#parts.clock.sleep(createWaitMs, waited.signal).catch(() => {}), // the alarm goes on
    ]);
    waited.abort();
    return this.read(id);
  }

  /** Orders for the key and the names of `last` again, where nobody is served by it. */
  rehearse({ csr, ...order }: StoredOrder): void {
    this.#add("rehearsal", { der: csr, ...order });
  }

  /** Throws `not-found`. */
  read(id: string): Order {
    const order = this.#store.find(id);
    if (!order) throw new AppError("not-found", "This node has no such order, or it is an old one.");
    return orderOf(order, this.#now());
  }

  /** Moves every order that is due. */
  stepDue(): Promise<void> {
    return this.#runner.runDue();
  }

  nextDue(): number | undefined {
    return this.#runner.nextDue();
  }

  get areProcessing(): boolean {
    return this.#processing().length > 0;
  }

  /** Gives up what is being processed: all of it, or that for one name. */
  abandon(trouble: Trouble, hostname?: string): void {
    for (const order of this.#processing())
      if (hostname === undefined || order.hostnames.includes(hostname)) this.#runner.abandon(order, trouble);
  }

  /** Moves an order until it has ended, has to wait for longer, or has had its turn. */
  async #follow(id: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#runner.run(id);
      const { status, dueAt = Infinity } = this.#store.find(id) ?? {};
      const waitMs = dueAt - this.#now();
      if (signal.aborted || status !== "processing" || waitMs <= 0 || waitMs > shortWaitMs) return;
      await this.#parts.clock.sleep(waitMs, signal).catch(() => {});
    }
  }

  #add(
    purpose: OrderPurpose,
    csr: Omit<CheckedCsr, "spki"> & Pick<StoredOrder, "digest" | "keyDigest" | "spkiDigest">,
  ): string {
    const { der, hostnames, digest, keyDigest, spkiDigest } = csr;
    const id = crypto.randomUUID();
    const replaces = purpose === "serve" ? this.#replacedBy(hostnames) : undefined;
    this.#store.add({ id, purpose, digest, csr: der, keyDigest, spkiDigest, hostnames, replaces }, this.#now());
    this.#store.trim("serve", maxOrdersKept);
    this.#store.trim("rehearsal", maxRehearsalsKept);
    return id;
  }

  /** The certificate of the same names that serves now (RFC 9773 §5). */
  #replacedBy(hostnames: readonly string[]): StoredOrder["replaces"] {
    const serving = this.#store
      .all()
      .find((order) => isServing(order, this.#now()) && areSameNames(order.hostnames, hostnames));
    if (serving?.issuer === undefined || serving.certificateId === undefined) return undefined;
    return { directory: serving.issuer, certificateId: serving.certificateId };
  }

  #processing(): StoredOrder[] {
    return this.#store.all().filter(({ status }) => status === "processing");
  }

  #now(): number {
    return this.#parts.clock.now();
  }
}

const replaced: Trouble = {
  detail: "A newer request of this node took its place.",
  remedy: "Follow the newer order.",
};

/** Whether its certificate may be served at `now`. */
export function isServing(
  { purpose, status, notAfter }: Pick<StoredOrder, "purpose" | "status" | "notAfter">,
  now: number,
): boolean {
  return purpose === "serve" && status === "valid" && notAfter !== undefined && now < notAfter;
}

export function areSameNames(some: readonly string[], others: readonly string[]): boolean {
  return some.toSorted().join() === others.toSorted().join();
}

function isCurrent({ status, notBefore, notAfter }: StoredOrder, now: number): boolean {
  if (status !== "valid") return status === "processing";
  return notBefore !== undefined && notAfter !== undefined && now < (notBefore + notAfter) / 2;
}

function keyAndNames({ spki, hostnames }: CheckedCsr): Uint8Array<ArrayBuffer> {
  const names = new TextEncoder().encode(hostnames.toSorted().join());
  return Uint8Array.of(...spki, ...names);
}

async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
