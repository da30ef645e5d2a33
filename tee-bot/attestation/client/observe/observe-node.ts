/** Everything of a verification that needs the network: one connection, its evidence, the vendor's word, and DNS. */
import { randomBytes } from "node:crypto";
import type { Evidence } from "../../../../shared/attestation/evidence.ts";
import { exporterBytes, exporterLabel, nonceBytes } from "../../../../shared/attestation/report-data.ts";
import type { Clock } from "../../../../shared/clock.ts";
import { fetchEffectiveCaa } from "../../../../shared/dns/effective-caa.ts";
import type { DnsServer } from "../../../../shared/dns/server.ts";
import { AppError, errorText } from "../../../../shared/errors.ts";
import { askEvidence } from "./ask-evidence.ts";
import { openConnection } from "./connection.ts";
import type { Observation, SeenCaa, SeenCollateral, SeenConnection, Shown } from "../observation.ts";
import type { NodeAddress } from "./parse-address.ts";

/** Asks the vendor, or who repeats its word, about the platform of a quote. */
export type AskCollateral = (quote: Uint8Array, signal: AbortSignal) => Promise<SeenCollateral>;

export interface ObserveOptions {
  readonly address: NodeAddress;
  /** PEM; undefined: those of Node and of the system. */
  readonly roots?: readonly string[] | undefined;
  /** Undefined: nobody is asked, and what the node shows is taken. */
  readonly askCollateral: AskCollateral | undefined;
  readonly resolver: DnsServer | undefined;
  /** 32 bytes that nobody could know before; undefined: they are drawn here. */
  readonly nonce?: Uint8Array | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Throws {@link AppError} when the node cannot be reached or does not answer. */
export async function observeNode(options: ObserveOptions): Promise<Observation> {
  const { address, roots, resolver, nonce: given, clock, signal } = options;
  const { hostname, to, host, url } = address;
  using connection = await openConnection({ hostname, to, roots, signal });
  const nonce = Buffer.from(given ?? randomBytes(nonceBytes));
  const exporter = connection.socket.exportKeyingMaterial(exporterBytes, exporterLabel, nonce);
  const shown = await askEvidence(connection.socket, { host, nonce: nonce.toString("hex"), signal });
  const seen: SeenConnection = {
    protocol: connection.protocol,
    chain: connection.chain,
    nonce: nonce.toString("hex"),
    exporter: exporter.toString("hex"),
    certificate: connection.certificate,
  };
  const [collateral, dns] = await Promise.all([findCollateral(shown, options), lookUpCaa(shown, hostname, resolver)]);
  return {
    url: url.origin,
    hostname,
    address: connection.address,
    at: { seconds: Math.floor(clock.now() / 1000), clock: "this machine's clock" },
    recorder: undefined,
    connection: seen,
    shown,
    ...collateral,
    dns,
  };
}

/** The vendor's word as we get it ourselves; what the node shows stands in where nobody can be asked. */
async function findCollateral(
  shown: Shown,
  { askCollateral, signal }: ObserveOptions,
): Promise<Pick<Observation, "collateral" | "collateralProblem">> {
  if (shown.kind === "none") return { collateral: undefined, collateralProblem: undefined };
  const theirs = shownCollateral(shown.evidence);
  if (!askCollateral) return { collateral: theirs, collateralProblem: undefined };
  try {
    const quote = Buffer.from(shown.evidence.evidence.quote, "hex");
    return { collateral: await askCollateral(quote, signal), collateralProblem: undefined };
  } catch (error) {
    return { collateral: theirs, collateralProblem: error instanceof AppError ? error.detail : errorText(error) };
  }
}

function shownCollateral({ collateral }: Evidence): SeenCollateral | undefined {
  if (!collateral) return undefined;
  const { documents, retrieved_at: retrievedAt, source } = collateral;
  return { documents, retrievedAt, source: `shown by the node, from ${source}` };
}

async function lookUpCaa(shown: Shown, hostname: string, resolver: DnsServer | undefined): Promise<SeenCaa> {
  const unknown = (problem: string): SeenCaa => ({ state: "unknown", problem });
  const [, top] = /\.([a-z][a-z0-9-]*)$/.exec(hostname) ?? [];
  if (top === undefined || top === "localhost") return unknown(`There are no CAA records for ${hostname}.`);
  if (!resolver) return unknown("No resolver was asked for CAA records.");
  if (shown.kind === "none" || !shown.evidence.keyset.acme_accounts?.length)
    return unknown("There was no account to look for in CAA records.");
  try {
    // RFC 8659 §3: a CA climbs up to the top-level domain.
    return { state: "found", ...(await fetchEffectiveCaa(hostname, top, resolver)), resolver: resolver.address };
  } catch (error) {
    return unknown(`CAA records could not be looked up: ${errorText(error)}`);
  }
}
