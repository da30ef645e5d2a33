/** Looks at every part of the bot, for `postern signal status` and the health check. Changes nothing, spends nothing. */
import { AppError } from "../../shared/errors.ts";
import { AccountError } from "../bot/account/account-error.ts";
import type { AccountApi } from "../bot/account/account-api.ts";
import type { RestLook } from "../bot/health/judge-bot.ts";
import { signalSettingsSchema, type SignalSettings } from "../bot/settings.ts";
import { letterListSchema, signalReportSchema, type SignalReport } from "../control/signal-messages.ts";
import { askNode } from "./control-client.ts";
import { CliError } from "./failure.ts";

export interface NodeLook {
  readonly report: SignalReport | undefined;
  /** Why there is none. */
  readonly trouble: string | undefined;
}

export async function lookAtNode(state: string): Promise<NodeLook> {
  try {
    return { report: await askNode(state, "GET", "/v1/signal", signalReportSchema), trouble: undefined };
  } catch (error) {
    if (error instanceof CliError) return { report: undefined, trouble: error.failure.why };
    if (error instanceof AppError) return { report: undefined, trouble: error.detail };
    throw error;
  }
}

/**
 * `isBotThere`: what goes through signal-cli is asked by the bot alone then, since two callers at once can crash the REST
 * server (`fatal error: concurrent map read and map write`); the bot tells what it finds.
 */
export async function lookAtRest(
  api: AccountApi,
  { account, isBotThere }: { account: string | undefined; isBotThere: boolean },
): Promise<RestLook> {
  try {
    const { mode, version } = await api.about();
    const accounts = isBotThere ? undefined : await api.accounts();
    const number = account ?? accounts?.[0];
    const trust = number === undefined ? undefined : await trustOf(api, number);
    return { mode, version, ...(accounts && { accounts }), ...(trust !== undefined && { trust }) };
  } catch (error) {
    if (error instanceof AccountError) return { trouble: error.message };
    throw error;
  }
}

/** What the running node's bot was started with; undefined: there is none. */
export async function settingsOfBot(state: string): Promise<SignalSettings | undefined> {
  try {
    return await askNode(state, "GET", "/v1/signal/settings", signalSettingsSchema);
  } catch (error) {
    if (error instanceof CliError || error instanceof AppError) return undefined;
    throw error;
  }
}

export function readLetters(state: string) {
  return askNode(state, "GET", "/v1/signal/letters", letterListSchema);
}

/** What kept replies from going out is mended. Whether there is a bot to hear it. */
export async function askBotToRetry(state: string): Promise<boolean> {
  try {
    await askNode(state, "POST", "/v1/signal/retry", signalReportSchema);
    return true;
  } catch (error) {
    if (error instanceof CliError || error instanceof AppError) return false;
    throw error;
  }
}

/** Of the settings of signal-cli-rest-api itself; undefined where it does not tell. */
async function trustOf(api: AccountApi, number: string): Promise<string | undefined> {
  try {
    return await api.trustMode(number);
  } catch (error) {
    if (error instanceof AccountError) return undefined;
    throw error;
  }
}
