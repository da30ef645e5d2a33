/** What a probe has met, as a word for metrics and as a sentence for the node's operator. */

/**
 * `up`: the right key answered. `hidden`: the node lets nobody in from here. `unknown`: it was this relay's fault, or
 * its resolver's. Neither says anything of the path.
 */
export type ProbeOutcome =
  | "up"
  | "another-key"
  | "another-name"
  | "refused"
  | "unreachable"
  | "silent"
  | "broken"
  | "no-address"
  | "foreign-address"
  | "hidden"
  | "unknown";

export interface Finding {
  readonly outcome: ProbeOutcome;
  /** Why visitors do not get through; undefined when they do, or that is not known. */
  readonly detail?: string;
}

export const anotherKey: Finding = {
  outcome: "another-key",
  detail: "serves another key than the certificate was issued for",
};
export const anotherName: Finding = { outcome: "another-name", detail: "shows a certificate for another name" };
export const noAddress: Finding = { outcome: "no-address", detail: "DNS names no address" };

export function foreignAddress(address: string): Finding {
  return { outcome: "foreign-address", detail: `DNS names ${address}, which is no relay of this fleet` };
}

export function silent(seconds: number): Finding {
  return { outcome: "silent", detail: `no answer within ${seconds} s` };
}

/** This machine's own network cannot get there, for example to any IPv6 address. */
const ownFaults = new Set(["ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT", "EACCES", "EPERM", "EMFILE", "ENFILE"]);

/** What the error of a handshake says; codes are those of Node.js 24 and its OpenSSL. */
export function findingOfError(error: NodeJS.ErrnoException, to: string): Finding {
  const { code = "" } = error;
  if (ownFaults.has(code)) return { outcome: "unknown" };
  if (code === "ECONNREFUSED") return { outcome: "unreachable", detail: `nobody listens at ${to}` };
  if (code === "EHOSTUNREACH" || code === "ETIMEDOUT")
    return { outcome: "unreachable", detail: `${to} cannot be reached` };
  const alert = alertOf(code);
  if (alert === "access_denied") return { outcome: "hidden" };
  if (alert !== undefined) return { outcome: "refused", detail: `refused: ${alert}` };
  if (code === "ECONNRESET" || code === "EPIPE")
    return { outcome: "broken", detail: "the connection was cut during the TLS handshake" };
  return { outcome: "broken", detail: "what answers does not speak TLS" };
}

/** `ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR` and its like: the alert as RFC 8446 §6 names it. */
function alertOf(code: string): string | undefined {
  const [, word] = /^ERR_SSL_(?:TLSV1|TLSV13|SSLV3|SSL\/TLS)_(?:ALERT_)?([A-Z_]+)$/.exec(code) ?? [];
  return word?.toLowerCase();
}
