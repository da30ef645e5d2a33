/** What a node attests of its names, asked of the node itself or of a proof file, and believed only once it is verified. */
import type { Keyset } from "../../../shared/attestation/keyset.ts";
import type { CheckId } from "../../../shared/attestation/check.ts";
import { AppError } from "../../../shared/errors.ts";
import { parseNodeAddress } from "../client/observe/parse-address.ts";
import { verifyNode, type Judgement, type VerifyNodeOptions } from "../client/verify-node.ts";
import type { NodeReport } from "../verify/verification.ts";
import type { AskNode, AttestedKeys } from "./known-keys.ts";
import { covers } from "./names.ts";

/** Without these, whatever the policy says, the keys shown would not be those that were measured. */
export const neededChecks = ["quote-signature", "keyset"] as const satisfies readonly CheckId[];

export interface AskNodeOptions extends Judgement, Pick<VerifyNodeOptions, "roots" | "askCollateral"> {
  /** `host:port` where DNS does not lead to the nodes. */
  readonly connect: string | undefined;
}

export function createAskNode({ connect, require = [], ...options }: AskNodeOptions): AskNode {
  return async (name, signal) => {
    const address = parseNodeAddress(name, connect);
    const report = await verifyNode({ ...options, require: [...require, ...neededChecks], address, signal });
    return attestedKeysOf(report, name);
  };
}

/** Throws `evidence-rejected` when the verdict is not good. */
export function attestedKeysOf({ verdict, reason, shown }: NodeReport, name: string): AttestedKeys {
  if ((verdict !== "verified" && verdict !== "simulated") || !shown)
    throw new AppError("evidence-rejected", `What the node of ${name} attests is not known: ${reason}`);
  return { ...keysFor(shown.keyset, name), simulated: verdict === "simulated" };
}

function keysFor(
  { tls_public_keys: keys, acme_accounts: accounts = [] }: Keyset,
  name: string,
): Omit<AttestedKeys, "simulated"> {
  const own = keys.filter(({ domain }) => covers(domain, name));
  return {
    spkiSha256: own.map(({ spki_sha256: digest }) => digest),
    acmeAccounts: accounts.length > 0 ? accounts : undefined, // none: it does not know them
  };
}
