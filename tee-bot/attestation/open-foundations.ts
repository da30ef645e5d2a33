/** What a node rests on: the machine it runs on, the keys by which it is itself, and what it can show of both. */
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { NodeConfig } from "../config.ts";
import type { TeeState } from "./attestation.ts";
import { readFacts, type NodeFacts } from "./evidence/node-facts.ts";
import { openNodeKeys, type NodeKeys } from "./keys/node-keys.ts";
import { openTee } from "./open-tee.ts";

export interface Foundations {
  readonly tee: TeeState;
  readonly keys: NodeKeys;
  /** Undefined outside a TEE. */
  readonly facts: NodeFacts | undefined;
}

export interface FoundationsOptions {
  readonly config: Pick<NodeConfig, "attestation" | "files">;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Throws {@link AppError} when the node cannot start on them: no TEE where one is required, a key that others can read. */
export async function openFoundations({ config, env, clock, log }: FoundationsOptions): Promise<Foundations> {
  const tee = await openTee({ settings: config.attestation, env, clock, log });
  const keys = await openNodeKeys(tee, { files: config.files, now: clock.now(), log });
  if (tee.tee === "none") return { tee, keys, facts: undefined };
  return { tee, keys, facts: await readFacts({ tee, node: keys.identity.id, tlsSpki: keys.tls.spki, log }) };
}
