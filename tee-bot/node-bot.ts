/** The node's Signal bot, where the settings have one: joined with the node's gateway and its proof. */
import { randomBytes } from "node:crypto";
import type { Clock } from "../shared/clock.ts";
import type { Log } from "../shared/log.ts";
import type { TeeState } from "./attestation/attestation.ts";
import type { NodeProof } from "./attestation/node-proof.ts";
import { addBotMetrics } from "./bot/bot-metrics.ts";
import { openBot, type Bot } from "./bot/bot.ts";
import { ownNode } from "./bot/verify/own-node.ts";
import { decideChat } from "./bot/verify/proof-gate.ts";
import { verifyCommand } from "./bot/verify/verify-command.ts";
import type { NodeConfig } from "./config.ts";
import type { Gateway } from "./gateway/gateway.ts";
import type { SelfReport } from "./self-report.ts";

export interface NodeBotOptions {
  readonly config: NodeConfig;
  readonly tee: TeeState;
  readonly proof: Pick<NodeProof, "standing" | "trust" | "quoteNow" | "followSignal">;
  readonly gateway: Pick<Gateway, "ledger" | "examine">;
  /** By which the node's own parts call the gateway. */
  readonly ownKey: string;
  readonly report: Pick<SelfReport, "gatewayPort" | "bot" | "watchSubject">;
  readonly clock: Clock;
  readonly log: Log;
}

const ownKeyBytes = 32;

/** What the node's own parts show its gateway: made anew at each start, and told to nobody. */
export function createOwnKey(): string {
  return randomBytes(ownKeyBytes).toString("base64url");
}

/** Throws {@link AppError} when what it keeps cannot be opened. */
export async function openNodeBot(options: NodeBotOptions): Promise<Bot | undefined> {
  const { config, tee, proof, gateway, ownKey, report, clock, log } = options;
  const { api, requireProof } = config.signal;
  if (api === undefined) return undefined;
  const bot = await openBot({
    settings: { ...config.signal, api },
    directory: config.files.directory,
    tee,
    gateway: { origin: `http://127.0.0.1:${report.gatewayPort}`, key: ownKey },
    verify: (modelOf) => {
      const node = ownNode({ tee, proof, subject: () => report.watchSubject() });
      return verifyCommand({ node, modelOf, examine: gateway.examine, clock, log });
    },
    onIdentity: (identity) => proof.followSignal(identity),
    permission: () => decideChat({ isRequired: requireProof, tee: tee.tee, standing: proof.standing }),
    env: process.env,
    clock,
    log,
  });
  report.bot = bot;
  addBotMetrics(gateway.ledger.tracker.metrics.registry, () => bot.state());
  return bot;
}
