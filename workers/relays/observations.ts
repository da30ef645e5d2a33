/** Takes what a relay has found of nodes to the objects of those nodes, and what it comes to for relays to theirs. */
import { illMs } from "./illness.ts";
import { readFleet, type DirectoryParts } from "./relay-directory.ts";
import { judgeRelay } from "./relay-status.ts";
import { withDeadline } from "../deadline.ts";
import { nodeObject } from "../registry/node-stub.ts";
import type { Verdict } from "../registry/path-marks.ts";
import { errorText, unwrap } from "../../shared/errors.ts";
import type { Observation } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** How a node fares through a relay. */
interface NodeVerdict extends Verdict {
  readonly node: NodeId;
}

/** Observations of relays that are not on the allow-list are left out. An object that does not answer misses its own. */
export async function takeObservations(
  parts: DirectoryParts,
  reporter: NodeId,
  observations: readonly Observation[],
  now: number,
): Promise<void> {
  const known = observations.filter(({ relay }) => parts.config.relayKeys.has(relay));
  const byNode = Map.groupBy(known, ({ node }) => node);
  const told = await Promise.all([...byNode].map(([node, of]) => tellNode(parts, reporter, node, of)));
  const byRelay = Map.groupBy(told.flat(), ({ relay }) => relay);
  await Promise.all([...byRelay].map(([relay, verdicts]) => tellRelay(parts, reporter, relay, verdicts, now)));
}

async function tellNode(
  { env, log }: DirectoryParts,
  reporter: NodeId,
  node: NodeId,
  observations: readonly Observation[],
): Promise<NodeVerdict[]> {
  try {
    const told = nodeObject(env, node).observe({ reporter, observations });
    return unwrap(await withDeadline(told, "The node's object")).map(({ relay, isLost }) => ({ node, relay, isLost }));
  } catch (error) {
    log.warn("observations.untold", { node, error: errorText(error) });
    return [];
  }
}

async function tellRelay(
  parts: DirectoryParts,
  witness: NodeId,
  relay: NodeId,
  verdicts: readonly NodeVerdict[],
  now: number,
): Promise<void> {
  const { env, log } = parts;
  try {
    const others = verdicts.some(({ isLost }) => isLost) ? (await readFleet(parts, relay, now)).length : 0;
    const isNew = await judgeRelay(env, relay, { witness, verdicts, others, now });
    if (isNew) log.warn("relay.marked-ill", { relay, witness, forMs: illMs });
  } catch (error) {
    log.warn("relay.unjudged", { relay, error: errorText(error) });
  }
}
