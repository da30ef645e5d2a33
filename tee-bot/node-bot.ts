/** The node's Signal bot, where the settings have one: joined with the node's gateway and its proof. */
import type { Clock } from "../shared/clock.ts";
import type { Log } from "../shared/log.ts";
import type { TeeState } from "./attestation/attestation.ts";
import type { NodeProof } from "./attestation/node-proof.ts";
import { addBotMetrics } from "./bot/bot-metrics.ts";
import { openBot, type Bot } from "./bot/bot.ts";
import { decideChat } from "./bot/verify/proof-gate.ts";
import type { NodeConfig } from "./config.ts";
import type { Gateway } from "./gateway/gateway.ts";
import type { SelfReport } from "./self-report.ts";

export interface NodeBotOptions {
  readonly config: NodeConfig;
  readonly tee: TeeState;
  readonly proof: Pick<NodeProof, "standing">;
  readonly gateway: Pick<Gateway, "ledger">;
  /** By which the node's own parts call the gateway. */
  readonly ownKey: string;
  readonly report: Pick<SelfReport, "gatewayPort" | "bot">;
  readonly clock: Clock;
  readonly log: Log;
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
    permission: () => decideChat({ isRequired: requireProof, tee: tee.tee, standing: proof.standing }),
    env: process.env,
    clock,
    log,
  });
  report.bot = bot;
  addBotMetrics(gateway.ledger.tracker.metrics.registry, () => bot.state());
  return bot;
}
