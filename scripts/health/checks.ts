/** Each part of a node, looked at once: from outside it, without spending a token. */
import { z } from "zod";
import { readBytes } from "../../shared/bytes.ts";
import { openAccountApi } from "../../tee-bot/bot/account/account-api.ts";
import { judgeBot } from "../../tee-bot/bot/health/judge-bot.ts";
import type { SignalSettings } from "../../tee-bot/bot/settings.ts";
import { askStatus } from "../../tee-bot/cli/control-client.ts";
import { CliError } from "../../tee-bot/cli/failure.ts";
import { lookAtNode, lookAtRest } from "../../tee-bot/cli/signal-look.ts";
import type { NodeStatus } from "../../tee-bot/control/status.ts";
import type { PartHealth } from "./report.ts";

export interface CheckOptions {
  /** The node's state directory. */
  readonly state: string;
  readonly signal: SignalSettings;
  readonly now: number;
  readonly stop: AbortSignal;
}

const timeoutMs = 10_000;
const maxBytes = 4 * 1024 * 1024;
const modelsSchema = z.object({ data: z.array(z.object({ id: z.string() })) });

/** All parts there are; what depends on a part that is down is not asked. */
export async function checkParts(options: CheckOptions): Promise<PartHealth[]> {
  const status = await readStatus(options.state);
  if ("part" in status) return [status, ...(await checkBot(options))];
  const gateway = await checkGateway(status.gateway, options);
  return [nodeHealth(status), ...gateway, ...(await checkBot(options))];
}

async function readStatus(state: string): Promise<NodeStatus | PartHealth> {
  try {
    return await askStatus(state);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { part: "node", state: "down", words: error.failure.why };
  }
}

function nodeHealth({ health, url }: NodeStatus): PartHealth {
  const undone = health.steps.filter(({ ok }) => !ok).map(({ step, detail }) => `${step}: ${detail}`);
  const state = health.status === "healthy" ? "well" : health.status === "down" ? "down" : "attention";
  return { part: "node", state, words: [`${health.status}, ${url ?? "no name yet"}`, ...undone].join("; ") };
}

/** The list of models comes from what providers told last, so that it costs nothing. */
async function checkGateway(gateway: string, { signal, stop }: CheckOptions): Promise<PartHealth[]> {
  let ids: string[];
  try {
    const response = await fetch(`${gateway}/v1/models`, {
      signal: AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]),
    });
    const bytes = await readBytes(response, maxBytes);
    ids = modelsSchema.parse(JSON.parse(new TextDecoder().decode(bytes))).data.map(({ id }) => id);
  } catch {
    stop.throwIfAborted();
    return [{ part: "gateway", state: "down", words: `${gateway} gives no list of models` }];
  }
  const wanted = signal.model;
  const isThere = wanted === undefined ? ids.length > 0 : ids.includes(wanted);
  const words = isThere ? (wanted ?? `${ids.length} offered`) : `not offered: ${wanted ?? "any"}`;
  return [
    { part: "gateway", state: "well", words: gateway },
    { part: "model", state: isThere ? "well" : "down", words },
  ];
}

/** Nothing where the settings name no REST server. */
async function checkBot({ state, signal, now, stop }: CheckOptions): Promise<PartHealth[]> {
  if (signal.api === undefined) return [];
  const { report, trouble } = await lookAtNode(state);
  const account = { account: signal.account, isBotThere: report !== undefined };
  const rest = await lookAtRest(openAccountApi(signal.api, stop), account);
  const bot = report?.state;
  const findings = judgeBot({ rest, bot, botTrouble: trouble, isChallenged: report?.challenge !== undefined }, now);
  const serious = findings.filter(({ weight }) => weight !== "note");
  const weightOf = (wanted: string): boolean => serious.some(({ weight }) => weight === wanted);
  const { mailbox } = bot ?? {};
  const since =
    mailbox?.oldestAt === undefined ? "" : `, the oldest for ${Math.round((now - mailbox.oldestAt) / 1_000)} s`;
  return [
    {
      part: "signal",
      state: weightOf("down") ? "down" : weightOf("attention") ? "attention" : "well",
      words: serious.map(({ detail }) => detail).join(" ") || `signal-cli-rest-api ${rest.version ?? ""}`.trim(),
    },
    ...(mailbox ? [{ part: "mailbox", state: "well" as const, words: `${mailbox.waiting} waiting${since}` }] : []),
  ];
}
