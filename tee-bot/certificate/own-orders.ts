/**
 * Certificates by an ACME account of this node's own. The same order code as at the edge is driven here; the edge
 * writes the TXT records, names the account in CAA, and shares the CA's limits out among the nodes of the zone.
 */
import { certificateIdOf } from "../../shared/acme/ari.ts";
import { stepOrder, type AcmeOrder } from "../../shared/acme/order.ts";
import type { AlpnResponder, OrderParts } from "../../shared/acme/ports.ts";
import { decideNextLookMs, decideRenewalPlan } from "../../shared/acme/renewal.ts";
import type { Clock } from "../../shared/clock.ts";
import { AppError, errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { EdgeClient } from "../../shared/registry/edge-client.ts";
import type { Issuer, RenewalPlan } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";
import { lifetimeOf } from "./certificate.ts";
import type {
  CertificateRequest,
  CertificateSource,
  HeldCertificate,
  OrderEnd,
  OrderHooks,
} from "./certificate-source.ts";
import { EdgeAdmissions, EdgeRecords } from "./edge-ports.ts";
import type { AnnouncedAccounts } from "./announced-accounts.ts";
import type { OwnAccounts } from "./own-accounts.ts";
import { createZonePropagation } from "./zone-propagation.ts";

export interface OwnOrdersOptions {
  node: NodeId;
  edge: EdgeClient;
  accounts: OwnAccounts;
  announced: AnnouncedAccounts;
  /** Which CAs may be used, and by which resolvers propagation is judged. */
  issuer: (signal: AbortSignal) => Promise<Issuer>;
  alpn: AlpnResponder;
  clock: Clock;
  log: Log;
  random: () => number;
  fetch: typeof fetch;
}

/** Steps in a row that ask for no pause; more are no progress. */
const maxStepsAtOnce = 50;
const breathMs = 1_000;

export class OwnOrders implements CertificateSource {
  readonly #options: OwnOrdersOptions;
  #propagation: { of: string; look: OrderParts["propagation"] } | undefined;
  #nextLook: { of: string; at: number } | undefined;

  constructor(options: OwnOrdersOptions) {
    this.#options = options;
  }

  async obtain(request: CertificateRequest, { signal, tell, save }: OrderHooks): Promise<OrderEnd> {
    const { node, clock, alpn, accounts } = this.#options;
    const { id, hostnames } = request;
    const replaces = replacedBy(request);
    const csr = derOf(request.csr);
    let { progress } = request;
    const parts = await this.#parts(hostnames, signal);
    const directories = parts.issuing.map(({ directory }) => directory);
    let registered: number | undefined;
    try {
      for (let atOnce = 0; ;) {
        if (registered !== accounts.registrations) await this.#announce(directories, signal);
        registered = accounts.registrations; // a CA may have forgotten the account amid an order
        const step = await stepOrder({ id, node, csr, hostnames, progress, ...(replaces && { replaces }) }, parts);
        signal.throwIfAborted();
        if (step.status === "invalid") return step;
        if (step.status === "valid") return { status: "valid", chain: step.certificate, ...directoryOf(step) };
        ({ progress } = step);
        save(progress);
        tell(step.words, step.trouble);
        atOnce = step.retryAfterMs > 0 ? 0 : atOnce + 1;
        await clock.sleep(atOnce > maxStepsAtOnce ? breathMs : step.retryAfterMs, signal);
      }
    } finally {
      for (const hostname of hostnames) alpn.withdraw(hostname); // whatever became of it, nobody asks any more
    }
  }

  async plan({ certificate, directory, renewal }: HeldCertificate): Promise<RenewalPlan | undefined> {
    const { clock, random, accounts } = this.#options;
    const { leaf, chain } = certificate;
    const now = clock.now();
    const circumstances = { ...lifetimeOf(leaf), now, plan: renewal, random };
    const certificateId = certificateIdOf(chain);
    if (directory === undefined || certificateId === undefined) return decideRenewalPlan(circumstances);
    const next = this.#nextLook?.of === leaf.fingerprint256 ? this.#nextLook.at : 0;
    if (now < next) return renewal ?? decideRenewalPlan(circumstances);

    const answer = await accounts.ca(directory).renewalInfo(certificateId);
    const info = answer.ok ? answer.value : undefined;
    this.#nextLook = { of: leaf.fingerprint256, at: now + decideNextLookMs(info ?? "failed") };
    return decideRenewalPlan({ ...circumstances, info });
  }

  async #parts(hostnames: readonly string[], signal: AbortSignal): Promise<OrderParts> {
    const { node, edge, accounts, issuer, alpn, clock, random } = this.#options;
    const { directories, resolvers } = await issuer(signal);
    if (directories.length === 0)
      throw new AppError("issuer-unavailable", "The edge names no ACME directory at which this node could order.");
    return {
      issuing: directories.map((directory) => ({
        directory,
        ca: accounts.ca(directory),
        admissions: new EdgeAdmissions({ node, edge, directory }),
      })),
      records: new EdgeRecords({ node, edge }),
      propagation: this.#propagationBy(resolvers, zoneOf(hostnames)),
      alpn,
      clock,
      random,
    };
  }

  /** Has the edge name our accounts in CAA; with the edge away the records from before stand. */
  async #announce(directories: readonly string[], signal: AbortSignal): Promise<void> {
    const { accounts, announced, log } = this.#options;
    try {
      await announced.announce(await accounts.bindings(directories), signal);
    } catch (error) {
      signal.throwIfAborted();
      log.warn("accounts.unannounced", { error: errorText(error) });
    }
  }

  /** Kept from order to order: it knows which servers cannot be reached. */
  #propagationBy(resolvers: readonly string[], zone: string): OrderParts["propagation"] {
    const { clock, fetch } = this.#options;
    const of = [zone, ...resolvers].join();
    if (this.#propagation?.of !== of)
      this.#propagation = { of, look: createZonePropagation({ zone, resolvers, clock, fetch }) };
    return this.#propagation.look;
  }
}

/** Names of a node stand directly below the zone. */
function zoneOf([hostname = ""]: readonly string[]): string {
  return hostname.slice(hostname.indexOf(".") + 1);
}

function replacedBy({ replaces }: CertificateRequest): AcmeOrder["replaces"] {
  const certificateId = replaces?.directory === undefined ? undefined : certificateIdOf(replaces.certificate.chain);
  return replaces?.directory === undefined || certificateId === undefined
    ? undefined
    : { directory: replaces.directory, certificateId };
}

function directoryOf({ directory }: { directory?: string }): { directory?: string } {
  return directory === undefined ? {} : { directory };
}

function derOf(pem: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64"));
}
