/**
 * A TLS connection of our own to a node. Whether its certificate is trusted is found out and kept, not insisted on: what
 * decides is the quote, and a node whose certificate is not trusted should be told from one whose evidence is bad.
 */
import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { connect, getCACertificates, type TLSSocket } from "node:tls";
import { AppError, errorText } from "../../../../shared/errors.ts";
import { lookupWithLoopback } from "../../../../shared/nodejs/loopback-lookup.ts";
import { isFor } from "../judge/chain.ts";
import type { CertificateTrust } from "../observation.ts";

const connectDeadlineMs = 10_000;
const maxChainLength = 10;

export interface ConnectOptions {
  /** Name or address literal: SNI, and what the certificate has to be good for. */
  readonly hostname: string;
  /** Where to connect to. */
  readonly to: { readonly host: string; readonly port: number };
  /** PEM; undefined: those of Node and of the system. */
  readonly roots?: readonly string[] | undefined;
  readonly signal: AbortSignal;
}

export interface Connection extends Disposable {
  readonly socket: TLSSocket;
  readonly address: string;
  readonly protocol: string;
  /** PEM, the leaf first. */
  readonly chain: readonly string[];
  readonly certificate: CertificateTrust;
}

/** Throws {@link AppError} when no TLS 1.3 connection comes about. */
export async function openConnection({ hostname, to, roots, signal }: ConnectOptions): Promise<Connection> {
  const where = `${to.host}:${to.port}`;
  const socket = connect({
    ...to,
    lookup: lookupWithLoopback,
    // RFC 6066 §3: no address literals in SNI.
    servername: isIP(hostname) ? "" : hostname,
    ca: roots ? [...roots] : systemRoots(),
    minVersion: "TLSv1.3",
    ALPNProtocols: ["http/1.1"],
    rejectUnauthorized: false,
  });
  try {
    await secured(socket, AbortSignal.any([signal, AbortSignal.timeout(connectDeadlineMs)]));
    const leaf = socket.getPeerX509Certificate();
    if (!leaf) throw new Error("no certificate was shown");
    socket.on("error", () => {}); // whoever uses it hears of its end by that use
    return {
      socket,
      address: addressOf(socket, where),
      protocol: socket.getProtocol() ?? "unknown",
      chain: chainOf(leaf),
      certificate: judgeCertificate(socket, hostname, leaf),
      [Symbol.dispose]: () => void socket.destroy(),
    };
  } catch (error) {
    socket.destroy();
    throw connectFailure(error, where, signal);
  }
}

/** PEM: those that Node brings, and those of the system. */
export function systemRoots(): string[] {
  return [...new Set([...getCACertificates("default"), ...getCACertificates("system")])];
}

function secured(socket: TLSSocket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new Error(`it took longer than ${connectDeadlineMs / 1000} s`));
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("secureConnect", () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the connection was closed during the handshake")));
  });
}

function judgeCertificate(socket: TLSSocket, hostname: string, leaf: X509Certificate): CertificateTrust {
  if (!isFor(leaf, hostname))
    return {
      state: "other-name",
      problem: `The certificate is not for ${hostname} but for ${leaf.subjectAltName ?? "nobody"}.`,
    };
  if (socket.authorized) return { state: "trusted" };
  return {
    state: "untrusted",
    problem: `The certificate is not trusted here: ${wordsOf(String(socket.authorizationError))}.`,
  };
}

/** OpenSSL's names of what is most often wrong with a chain. */
const chainWords: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "it has expired",
  CERT_NOT_YET_VALID: "it is not valid yet",
  DEPTH_ZERO_SELF_SIGNED_CERT: "it is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "its root is none that this machine trusts",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its CA is none that this machine trusts",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its CA is none that this machine trusts",
};
const wordsOf = (code: string): string => chainWords[code] ?? code;

function chainOf(leaf: X509Certificate): string[] {
  const chain: string[] = [];
  for (let one: X509Certificate | undefined = leaf; one && chain.length < maxChainLength; one = one.issuerCertificate) {
    const pem = one.toString();
    if (chain.includes(pem)) break; // a root is its own issuer
    chain.push(pem);
  }
  return chain;
}

function addressOf({ remoteAddress, remotePort }: TLSSocket, otherwise: string): string {
  if (remoteAddress === undefined || remotePort === undefined) return otherwise;
  return isIP(remoteAddress) === 6 ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}

function connectFailure(error: unknown, where: string, signal: AbortSignal): AppError {
  if (signal.aborted) return new AppError("upstream-unavailable", "It was given up.", { cause: signal.reason });
  // A name with several addresses fails with one error for each.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const code = (first as NodeJS.ErrnoException).code ?? "";
  const why =
    failureWords[code] ?? (code.startsWith("ERR_SSL") ? `TLS 1.3 does not come about (${code})` : errorText(first));
  return new AppError("upstream-unavailable", `${where} cannot be reached: ${why}.`, { cause: error });
}

const failureWords: Readonly<Record<string, string>> = {
  ENOTFOUND: "there is no such name",
  EAI_AGAIN: "the name cannot be looked up now",
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection was reset",
  EHOSTUNREACH: "there is no way to it",
  ENETUNREACH: "there is no way to it",
  ETIMEDOUT: "it does not answer",
};
