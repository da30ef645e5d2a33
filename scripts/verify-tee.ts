/** Verifies a running node, and the models that it says to have verified: see the usage in verify-tee/options.ts. */
import { systemClock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import { onTermination } from "../shared/nodejs/termination.ts";
import { askCollateralOf } from "../tee-bot/attestation/client/observe/ask-collateral.ts";
import { CliError } from "../tee-bot/cli/failure.ts";
import { checkNode, judgementOf } from "../tee-bot/cli/verify-actions.ts";
import { UsageError } from "./launcher/options.ts";
import { checkModels, type ModelResult } from "./verify-tee/model-layer.ts";
import { parseVerifyTeeOptions, usage, type VerifyTeeOptions } from "./verify-tee/options.ts";
import { decideTeeVerdict, exitCodes, formatTeeJson, formatTeeTable, type TeeReport } from "./verify-tee/report.ts";

const signal = onTermination();
process.exitCode = exitCodes.unknown;

try {
  const options = parseVerifyTeeOptions(process.argv.slice(2));
  if (options) await run(options);
  else process.stdout.write(usage);
  if (!options) process.exitCode = 0;
} catch (error) {
  const why = error instanceof AppError ? error.detail : error instanceof Error ? error.message : String(error);
  process.stderr.write(`Nothing was checked.\n  why:  ${why}\n`);
  if (error instanceof CliError) process.stderr.write(`  do:   ${error.failure.remedy}\n`);
  if (error instanceof UsageError) process.stderr.write(`\n${usage}`);
}

async function run(options: VerifyTeeOptions): Promise<void> {
  const { node, flags, model, json } = options;
  const [{ report }, layer] = await Promise.all([checkNode(node, flags), lookAtModels(options)]);
  const both: TeeReport = { subject: node, node: report, ...layer, wanted: model };
  process.stdout.write(json ? formatTeeJson(both) : formatTeeTable(both));
  process.exitCode = exitCodes[decideTeeVerdict(both)];
}

async function lookAtModels({ api, flags }: VerifyTeeOptions): Promise<Pick<TeeReport, "models" | "problem">> {
  const { policy, trust } = judgementOf(flags);
  const ask = askCollateralOf(flags.collateral, trust !== undefined);
  try {
    const models: ModelResult[] = await checkModels({
      api,
      key: process.env["POSTERN_API_KEY"],
      policy,
      trust,
      collateral: async (quote) => (await ask?.(quote, signal).catch(() => undefined))?.documents,
      clock: systemClock,
      fetch,
      signal,
    });
    return { models, problem: undefined };
  } catch (error) {
    if (error instanceof AppError) return { models: [], problem: error.detail };
    throw error;
  }
}
