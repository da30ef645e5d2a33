/** One attempt at a certificate: begins an order or goes on with the one under way, and judges what comes of it. */
import type { Trouble } from "../../shared/acme/ports.ts";
import type { Clock } from "../../shared/clock.ts";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { issuerName, lifetimeOf, parseCertificate, type Certificate } from "./certificate.ts";
import type { CertificateFiles } from "./certificate-files.ts";
import type { CertificateSource, HeldCertificate, OrderEnd, OrderHooks } from "./certificate-source.ts";
import type { CertificateHistory } from "./history.ts";
import type { OrderFile, PendingOrder } from "./order-file.ts";
import { faultOf } from "./renewal.ts";
import type { TlsKey } from "./tls-key.ts";
import { isPassing, isUnreachable, troubleOf } from "./trouble.ts";

export interface AttemptParts {
  key: TlsKey;
  source: CertificateSource;
  files: CertificateFiles;
  order: OrderFile;
  history: CertificateHistory;
  clock: Clock;
  log: Log;
}

export interface Wanted {
  readonly hostnames: readonly string[];
  /** Why it is ordered. */
  readonly reason: string;
  readonly replaces: HeldCertificate | undefined;
}

/** `held`: a new certificate, stored. */
export type Attempt = { readonly held: HeldCertificate } | { readonly failed: Failed };

export interface Failed {
  readonly trouble: Trouble;
  /** By the CA or for what was received, rather than for want of an answer. */
  readonly refused: boolean;
  readonly unreachable: boolean;
}

/** Throws only when the signal aborts. */
export async function attemptOrder(
  parts: AttemptParts,
  { hostnames, reason, replaces }: Wanted,
  { signal, tell }: Pick<OrderHooks, "signal" | "tell">,
): Promise<Attempt> {
  const { source, order, clock, log } = parts;
  try {
    let pending = order.pending(hostnames, clock.now()) ?? (await order.begin(hostnames, reason, clock.now()));
    log.info("certificate.ordered", { order: pending.id, reason, hostnames });
    const save = (progress: string): void => {
      if (!signal.aborted) pending = order.save(pending, progress);
    };
    const end = await source.obtain({ ...pending, replaces }, { signal, tell, save });
    signal.throwIfAborted();
    return finish(parts, pending, end);
  } catch (error) {
    signal.throwIfAborted();
    if (!isPassing(error)) order.clear();
    return fail(parts, reason, { trouble: troubleOf(error), refused: false, unreachable: isUnreachable(error) });
  }
}

function finish(parts: AttemptParts, pending: PendingOrder, end: OrderEnd): Attempt {
  const result = end.status === "valid" ? accept(parts, pending, end) : { trouble: end.trouble };
  parts.order.clear(); // after the certificate was written: a crash in between finds the order once more
  if ("held" in result) return result;
  return fail(parts, pending.reason, { trouble: result.trouble, refused: true, unreachable: false });
}

/** Stores what was received, unless it is of no use. */
function accept(
  { key, clock, files, history, log }: AttemptParts,
  { hostnames, reason }: PendingOrder,
  { chain, directory, renewal }: OrderEnd & { status: "valid" },
): { held: HeldCertificate } | { trouble: Trouble } {
  let certificate: Certificate;
  try {
    certificate = parseCertificate(chain);
    const fault = faultOf(certificate.leaf, { hostnames, spki: key.spki }, clock.now());
    if (fault) throw new Error(fault.replace("the one held", "it"));
  } catch (error) {
    const remedy = "Report it to whoever runs the edge or the CA; it is tried again by itself.";
    return { trouble: { detail: `The certificate received is of no use: ${errorText(error)}.`, remedy } };
  }
  const { leaf } = certificate;
  const held = { certificate, directory, renewal };
  files.write(held);
  log.info("certificate.received", { hostnames, notAfter: leaf.validToDate.toISOString() });
  const issuer = issuerName(leaf);
  history.add({
    at: clock.now(),
    outcome: "issued",
    reason,
    issuer,
    serial: leaf.serialNumber,
    notAfter: lifetimeOf(leaf).notAfter,
    words: `Issued by ${issuer} for ${hostnames.join(", ")}.`,
  });
  return { held };
}

function fail({ history, clock }: AttemptParts, reason: string, failed: Failed): Attempt {
  const { detail, remedy } = failed.trouble;
  const none = { issuer: null, serial: null, notAfter: null };
  history.add({ at: clock.now(), outcome: "failed", reason, ...none, words: `${detail} ${remedy}` });
  return { failed };
}
