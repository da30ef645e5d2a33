/**
 * `node scripts/health-check.ts [--state DIR] [--json]`: whether the node of this machine works, for people, cron
 * and Docker's HEALTHCHECK. Exit code 0: it works. 1: it works, and somebody should look. 2: a part does not work, or that could
 * not be found out.
 */
import { parseArgs } from "node:util";
import { systemClock } from "../shared/clock.ts";
import { errorText } from "../shared/errors.ts";
import { onTermination } from "../shared/nodejs/termination.ts";
import { settingsOfBot } from "../tee-bot/cli/signal-look.ts";
import { loadSettings } from "../tee-bot/settings/load-settings.ts";
import { defaultStateDirectory } from "../tee-bot/settings/settings-file.ts";
import { checkParts } from "./health/checks.ts";
import { exitCodeOf, formatReport } from "./health/report.ts";

const failedExitCode = 2;

try {
  const { values } = parseArgs({
    options: { state: { type: "string" }, json: { type: "boolean" } },
  });
  const environment = { ...process.env, ...(values.state !== undefined && { POSTERN_STATE: values.state }) };
  const read = loadSettings(environment);
  if (!read.ok) throw new Error(read.mistakes.join("; "));
  const state = environment["POSTERN_STATE"] || defaultStateDirectory;
  const { signal } = read.effective.settings;
  const parts = await checkParts({
    state,
    signal: signal.api === undefined ? ((await settingsOfBot(state)) ?? signal) : signal,
    now: systemClock.now(),
    stop: onTermination(),
  });
  const code = exitCodeOf(parts);
  process.exitCode = code;
  process.stdout.write(values.json ? `${JSON.stringify({ code, parts })}\n` : formatReport(parts));
} catch (error) {
  process.stderr.write(`FAIL the health check itself: ${errorText(error)}\n`);
  process.exitCode = failedExitCode;
}
