/**
 * Verifies a node, or a recording of one: what the CLI, the watch over certificates and the bot call. The answer is
 * always a report; a node that cannot be reached or asked gives the verdict `unknown`, with the reason.
 */
import { checkIds, type CheckId } from "../../../shared/attestation/check.ts";
import { intelRoot } from "../../../shared/attestation/dcap/intel-root.ts";
import { policySchema, type Policy } from "../../../shared/attestation/policy.ts";
import { systemClock, type Clock } from "../../../shared/clock.ts";
import type { DnsServer } from "../../../shared/dns/server.ts";
import { AppError } from "../../../shared/errors.ts";
import type { NodeReport, TrustRoot } from "../verify/verification.ts";
import { examine, nothingSeen } from "./judge/examine.ts";
import type { ExpectedSignal } from "./judge/signal-identity.ts";
import type { Observation } from "./observation.ts";
import { observeNode, type AskCollateral } from "./observe/observe-node.ts";
import type { NodeAddress } from "./observe/parse-address.ts";

/** What is insisted on, and by whom the verdict is made. */
export interface Judgement {
  /** Strict where it is left out. */
  readonly policy?: Policy | undefined;
  /** Required besides those of the policy. */
  readonly require?: readonly CheckId[] | undefined;
  /** Undefined: Intel's, and no simulator is believed. */
  readonly trust?: TrustRoot | undefined;
  /** What a phone shows of the node's bot, to be compared; undefined: nobody compares. */
  readonly signalIdentity?: ExpectedSignal | undefined;
}

export interface VerifyNodeOptions extends Judgement {
  readonly address: NodeAddress;
  /** PEM; undefined: those of Node and of the system. */
  readonly roots?: readonly string[] | undefined;
  /** Undefined: what the node shows is taken. */
  readonly askCollateral?: AskCollateral | undefined;
  /** Undefined: CAA records are not looked at. */
  readonly resolver?: DnsServer | undefined;
  /** 32 bytes that nobody could know before; undefined: they are drawn here. */
  readonly nonce?: Uint8Array | undefined;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

export interface Inspection {
  readonly report: NodeReport;
  /** Undefined where the node could not be reached or asked. */
  readonly observation: Observation | undefined;
}

export async function verifyNode(options: VerifyNodeOptions): Promise<NodeReport> {
  return (await inspectNode(options)).report;
}

/** Like {@link verifyNode}, with what was seen, for a proof file. */
export async function inspectNode(options: VerifyNodeOptions): Promise<Inspection> {
  const { address, roots, askCollateral, resolver, nonce, clock = systemClock } = options;
  const signal = options.signal ?? new AbortController().signal;
  try {
    const observation = await observeNode({ address, roots, askCollateral, resolver, nonce, clock, signal });
    return { report: await judge(observation, options), observation };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { report: unreachable(error.detail, options), observation: undefined };
  }
}

/** Judges a recording at its own time; see proof.ts. */
export async function inspectProof(observation: Observation, judgement: Judgement): Promise<Inspection> {
  return { report: await judge(observation, judgement), observation };
}

function judge(observation: Observation, { policy, require, trust, signalIdentity }: Judgement): Promise<NodeReport> {
  return examine(observation, {
    policy: policy ?? policySchema.parse({}),
    require,
    signalIdentity,
    trust: trust ?? { root: intelRoot, simulated: false },
  });
}

function unreachable(reason: string, { policy, require = [] }: Judgement): NodeReport {
  const asked = new Set([...(policy ?? policySchema.parse({})).required, ...require]);
  const required = checkIds.filter((id) => asked.has(id));
  return { ...nothingSeen, verdict: "unknown", reason, required };
}
