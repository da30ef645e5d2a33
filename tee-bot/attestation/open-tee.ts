/** What a node finds out about the machine it runs on, before it has a key. */
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { TeeState } from "./attestation.ts";
import { connectGuestAgent } from "./dstack/connect-guest-agent.ts";
import { AgentKeys } from "./keys/tee-keys.ts";
import type { AttestationSettings } from "./settings.ts";

export interface OpenTeeOptions {
  readonly settings: AttestationSettings;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Throws {@link AppError} rather than go on without a TEE that is there or is asked for: the node would make itself
 * another identity, in a file.
 */
export async function openTee({ settings, env, clock, log }: OpenTeeOptions): Promise<TeeState> {
  const found = connectGuestAgent({ ...settings, env, clock });
  if (found.tee === "none") {
    if (!settings.required) return found;
    throw new AppError(
      "tee-absent",
      `${found.reason} The settings say attestation.required: start it in a TEE, or set that to false.`,
    );
  }
  const { tee, agent } = found;
  const info = await agent.info();
  if (info.simulated && tee !== "simulated")
    throw new AppError(
      "tee-absent",
      `The guest agent at ${agent.address} is a simulator and proves nothing. ` +
        "If that is meant, set attestation.tee to simulated.",
    );
  const version = await agent.version();
  log.info("tee.found", {
    tee,
    agent: agent.address,
    version: version?.version ?? "before 0.5.7",
    appId: info.appId,
    instanceId: info.instanceId,
    composeHash: info.composeHash,
  });
  if (tee === "simulated")
    log.warn("tee.simulated", { agent: agent.address, meaning: "no TEE: evidence of this node proves nothing" });
  return { tee, agent, keys: new AgentKeys(agent) };
}
