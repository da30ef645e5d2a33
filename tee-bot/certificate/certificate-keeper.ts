/**
 * Keeps the certificate of the public name: reads the stored one, orders one from the edge when it is missing,
 * covers too little or has used up two thirds of its lifetime, and hands each new one to `onCertificate`, which
 * swaps it for new connections only.
 */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { decideBackoffMs } from "../../shared/backoff.ts";
import type { Clock } from "../../shared/clock.ts";
import { AppError, errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { writeFileAtomic } from "../../shared/nodejs/files.ts";
import type { EdgeClient } from "../../shared/registry/edge-client.ts";
import { orderSchema, type Order } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";
import { createCsr } from "./csr.ts";
import { decideRenewal } from "./renewal.ts";
import type { TlsKey } from "./tls-key.ts";

export interface Certificate {
  /** PEM chain, leaf first. */
  readonly chain: string;
  readonly leaf: X509Certificate;
}

export interface CertificateKeeperOptions {
  node: NodeId;
  key: TlsKey;
  path: string;
  edge: EdgeClient;
  clock: Clock;
  log: Log;
  random: () => number;
  onCertificate: (certificate: Certificate) => void;
}

const backoff = { baseMs: 1_000, maxMs: 15 * 60_000 };
const orderTimeoutMs = 10 * 60_000;
const defaultPollMs = 2_000;
const minPollMs = 500;

export class CertificateKeeper {
  readonly #options: CertificateKeeperOptions;
  #current: Certificate | undefined;
  #problem: string | undefined;
  #hostnames: readonly string[] = [];
  #keeping: AbortController = new AbortController();
  #wake: AbortController = new AbortController();

  constructor(options: CertificateKeeperOptions) {
    this.#options = options;
  }

  /** Takes up the certificate of an earlier start, if there is one for our key. */
  useStored(): void {
    const { path, key, onCertificate } = this.#options;
    const stored = readStored(path);
    if (!stored?.leaf.checkPrivateKey(key.privateKey)) return;
    this.#current = stored;
    onCertificate(stored);
  }

  get current(): Certificate | undefined {
    return this.#current;
  }

  /** Why the last order failed; undefined while all is well. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /**
   * Keeps a certificate for these names until the signal aborts. Called whenever the edge has answered: other names
   * replace those from before, and an order that failed is tried again at once.
   */
  follow(hostnames: readonly string[], signal: AbortSignal): void {
    if (this.#hostnames.join() === hostnames.join()) {
      if (this.#problem !== undefined) this.#wake.abort(); // ends a pause, never an order that is under way
      return;
    }
    this.#hostnames = hostnames;
    this.#keeping.abort();
    this.#keeping = new AbortController();
    void this.#keep(hostnames, AbortSignal.any([signal, this.#keeping.signal]));
  }

  async #keep(hostnames: readonly string[], signal: AbortSignal): Promise<void> {
    const { clock, log, key, random } = this.#options;
    for (let attempt = 0; !signal.aborted;) {
      const decision = decideRenewal(this.#current?.leaf, { hostnames, spki: key.spki }, clock.now());
      try {
        if (decision.kind === "keep") {
          this.#problem = undefined;
          await clock.sleep(decision.checkAgainInMs, signal);
          continue;
        }
        log.info("certificate.ordered", { reason: decision.reason, hostnames });
        await this.#obtain(hostnames, signal);
        attempt = 0;
      } catch (error) {
        if (signal.aborted) return;
        this.#problem = errorText(error);
        const waitMs = decideBackoffMs(attempt++, { ...backoff, random });
        log.warn("certificate.failed", { error: this.#problem, retryInMs: waitMs });
        this.#wake = new AbortController();
        await clock.sleep(waitMs, AbortSignal.any([signal, this.#wake.signal])).catch(() => {});
      }
    }
  }

  async #obtain(hostnames: readonly string[], signal: AbortSignal): Promise<void> {
    const { edge, node, key, path, clock, log, onCertificate } = this.#options;
    const deadline = clock.now() + orderTimeoutMs;
    const body = { csr: await createCsr(key, hostnames) };
    let order: Order = await edge.request("POST", `/v1/nodes/${node}/orders`, orderSchema, { body, signal });
    while (order.status === "processing") {
      if (clock.now() > deadline)
        throw new AppError("issuer-unavailable", "The order was not finished within 10 minutes.");
      await clock.sleep(Math.max(minPollMs, order.retryAfterMs ?? defaultPollMs), signal);
      const url = `/v1/nodes/${node}/orders/${encodeURIComponent(order.id)}`;
      order = await edge.request("GET", url, orderSchema, { signal });
    }
    if (order.status === "invalid" || order.certificate === undefined)
      throw new AppError("issuer-unavailable", order.detail ?? "The order was refused.");

    const certificate = parseCertificate(order.certificate);
    const fault = decideRenewal(certificate.leaf, { hostnames, spki: key.spki }, clock.now());
    if (fault.kind === "order")
      throw new AppError("issuer-unavailable", `The certificate received is of no use: ${fault.reason}.`);
    this.#current = certificate;
    log.info("certificate.received", { hostnames, notAfter: certificate.leaf.validToDate.toISOString() });
    onCertificate(certificate);
    try {
      writeFileAtomic(path, certificate.chain);
    } catch (error) {
      log.warn("certificate.unsaved", { error: errorText(error) }); // it serves all the same; ordering anew is no remedy
    }
  }
}

function readStored(path: string): Certificate | undefined {
  try {
    return parseCertificate(readFileSync(path, "utf8"));
  } catch {
    return undefined; // none yet, or a damaged one, which the next order replaces
  }
}

/** Throws unless every certificate of the chain can be read. */
function parseCertificate(chain: string): Certificate {
  createSecureContext({ cert: chain });
  return { chain, leaf: new X509Certificate(chain) };
}
