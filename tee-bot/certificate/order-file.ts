/** The order that is under way, kept on disk so that a crash goes on with it rather than making another one. */
import { randomUUID } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { z } from "zod";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { writeFileAtomic } from "../../shared/nodejs/files.ts";
import { createCsr } from "./csr.ts";
import { digestOfSpki } from "./spki.ts";
import type { TlsKey } from "./tls-key.ts";

const pendingOrderSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  /** PEM; the same bytes again are the same order at the edge. */
  csr: z.string(),
  hostnames: z.array(z.string()),
  /** SHA-256 of the SubjectPublicKeyInfo, hexadecimal: an order for a key of before is of no use. */
  key: z.string(),
  /** `edge` or `node`: progress of one custody means nothing in the other. */
  custody: z.string(),
  reason: z.string(),
  startedAt: z.number(),
  progress: z.string(),
});
export type PendingOrder = z.infer<typeof pendingOrderSchema>;

export interface OrderFileOptions {
  path: string;
  key: TlsKey;
  custody: string;
  log: Log;
}

/** Sources give an order up after two days; whatever is older was left behind. */
const maxAgeMs = 49 * 3_600_000;

export class OrderFile {
  readonly #options: OrderFileOptions;
  #current: PendingOrder | undefined;

  constructor(options: OrderFileOptions) {
    this.#options = options;
    this.#current = readStored(options.path);
  }

  /** The order under way for these names and our key, if there is one. */
  pending(hostnames: readonly string[], now: number): PendingOrder | undefined {
    const { key, custody } = this.#options;
    const order = this.#current;
    if (!order || order.hostnames.join() !== hostnames.join()) return undefined;
    if (order.key !== digestOfSpki(key.spki) || order.custody !== custody) return undefined;
    return now - order.startedAt < maxAgeMs ? order : undefined;
  }

  /** Begins an order; the one before, if any, is forgotten. */
  async begin(hostnames: readonly string[], reason: string, now: number): Promise<PendingOrder> {
    const { key, custody } = this.#options;
    const csr = await createCsr(key, hostnames);
    return this.#write({
      version: 1,
      id: randomUUID(),
      csr,
      hostnames: [...hostnames],
      key: digestOfSpki(key.spki),
      custody,
      reason,
      startedAt: now,
      progress: "",
    });
  }

  save(order: PendingOrder, progress: string): PendingOrder {
    return this.#write({ ...order, progress });
  }

  clear(): void {
    this.#current = undefined;
    try {
      rmSync(this.#options.path, { force: true });
    } catch (error) {
      this.#options.log.warn("order.kept", { error: errorText(error) }); // found again at the next start, which is harmless
    }
  }

  /** A disk that takes nothing costs the resumption after a crash, not the order. */
  #write(order: PendingOrder): PendingOrder {
    this.#current = order;
    try {
      writeFileAtomic(this.#options.path, JSON.stringify(order), 0o600);
    } catch (error) {
      this.#options.log.warn("order.unsaved", { error: errorText(error) });
    }
    return order;
  }
}

function readStored(path: string): PendingOrder | undefined {
  try {
    return pendingOrderSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined; // there is none
  }
}
