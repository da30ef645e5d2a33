/** The first layer: this node's own evidence, asked for by its public name as a stranger would, and verified. */
import type { Keyset } from "../../../shared/attestation/keyset.ts";
import type { Clock } from "../../../shared/clock.ts";
import { AppError } from "../../../shared/errors.ts";
import { nodeIdOfLabel } from "../../../shared/registry/node-id.ts";
import type { TeeState } from "../../attestation/attestation.ts";
import { parseNodeAddress } from "../../attestation/client/observe/parse-address.ts";
import { formatProof } from "../../attestation/client/proof.ts";
import type { Question } from "../../attestation/client/question.ts";
import { formatQuoteProof, judgeQuoteRecord, type QuoteRecord } from "../../attestation/client/quote-proof.ts";
import { inspectNode } from "../../attestation/client/verify-node.ts";
import type { NodeReport, TrustRoot } from "../../attestation/verify/verification.ts";

/** Where the node is to be reached from outside. */
export interface PublicPlace {
  readonly hostnames: readonly string[];
  /** Of the relays. */
  readonly port: number;
  /** PEM, of who signs its certificates; undefined: those of this machine. */
  readonly roots: readonly string[] | undefined;
}

export interface OwnNode {
  readonly tee: TeeState;
  /** Undefined: it has no name now. */
  place(): PublicPlace | undefined;
  /** Whose quotes are believed: Intel's, or in a simulator its own. Throws when there is none. */
  trust(): TrustRoot;
  /** A quote for this nonce (hex) without a connection: `NodeProof.quoteNow`. */
  quoteNow(nonce: string, signal: AbortSignal): Promise<QuoteRecord>;
}

/** `outside`: there is no TEE, and so nothing to look at. */
export type NodeLook =
  | { readonly kind: "outside"; readonly reason: string }
  | {
      readonly kind: "seen";
      /** The name to which the connection was made; undefined: there was none. */
      readonly where: string | undefined;
      readonly report: Pick<NodeReport, "verdict" | "reason" | "measured">;
      /** To be used only where the verdict is good. */
      readonly keyset: Keyset | undefined;
      /** Makes the proof file; undefined where there is nothing to keep. */
      readonly prove: ((question: Question) => string | undefined) | undefined;
    };

/** Throws when the root of a simulator is missing, and nothing else that evidence could cause. */
export async function lookAtNode(
  node: OwnNode,
  { nonce, clock, signal }: { nonce: Uint8Array; clock: Clock; signal: AbortSignal },
): Promise<NodeLook> {
  if (node.tee.tee === "none") return { kind: "outside", reason: node.tee.reason };
  const place = node.place();
  if (!place) return lookWithoutName(node, Buffer.from(nonce).toString("hex"), signal);
  const where = decideName(place.hostnames);
  const address = parseNodeAddress(`https://${where}:${place.port}`);
  const { roots } = place;
  // Without `askCollateral` the vendor's word is taken as the node shows it, signed by the vendor and judged with the rest.
  const inspection = await inspectNode({ address, roots, trust: node.trust(), nonce, clock, signal });
  const { report, observation } = inspection;
  const prove = observation && ((question: Question) => formatProof(observation, report, question));
  return { kind: "seen", where, report, keyset: report.shown?.keyset, prove };
}

/** The one that spells the node's key, for which nobody's word is needed; else the first. */
export function decideName(hostnames: readonly string[]): string {
  const spelt = hostnames.find((name) => nodeIdOfLabel(name.split(".", 1)[0] ?? "") !== undefined);
  return spelt ?? hostnames[0] ?? "";
}

async function lookWithoutName(node: OwnNode, nonce: string, signal: AbortSignal): Promise<NodeLook> {
  const seen = { kind: "seen", where: undefined } as const;
  try {
    const record = await node.quoteNow(nonce, signal);
    const { report, keyset } = await judgeQuoteRecord(record, { trust: node.trust() }, { isRecorded: false });
    return { ...seen, report, keyset, prove: (question) => formatQuoteProof(record, report, question) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const report = { verdict: "unknown", reason: error.detail, measured: undefined } as const;
    return { ...seen, report, keyset: undefined, prove: undefined };
  }
}
