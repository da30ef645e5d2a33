/** `postern signal status`: how the bot is, part by part, and what to do. */
import type { Command } from "commander";
import { systemClock } from "../../shared/clock.ts";
import { print, wantsColor } from "./command.ts";
import { runSignalCommand, withSignalFlags, type SignalContext, type SignalFlags } from "./signal-flags.ts";

interface StatusFlags extends SignalFlags {
  letters?: boolean;
  hook?: boolean;
  json?: boolean;
}

export function addStatusCommand(signal: Command): void {
  withSignalFlags(signal.command("status"))
    .description("tell how the bot is, part by part; exit code 1 unless it is well")
    .option("--letters", "list what was put aside, without its content")
    .option("--hook", "print the webhook's address with its password instead: RECEIVE_WEBHOOK_URL of the REST server")
    .option("--json", "as JSON")
    .action((flags: StatusFlags) =>
      runSignalCommand("How the bot is, is not known.", flags, (context) =>
        flags.hook ? showHook(context) : showStatus(context, flags),
      ),
    );
}

async function showStatus(context: SignalContext, flags: StatusFlags): Promise<void> {
  const { settings, directory, api, account } = context;
  const { lookAtNode, lookAtRest, readLetters } = await import("./signal-look.ts");
  const { decideVerdict, judgeBot } = await import("../bot/health/judge-bot.ts");
  const { formatSignalStatus } = await import("./signal-status-view.ts");
  const { report, trouble } = await lookAtNode(directory);
  const rest = await lookAtRest(account, { account: settings.account, isBotThere: report !== undefined });
  const challenge = report?.challenge;
  const facts = { rest, bot: report?.state, botTrouble: trouble, isChallenged: challenge !== undefined };
  const findings = judgeBot(facts, systemClock.now());
  const { by, host, port, websocket, public: isPublic } = settings.receive;
  const status = {
    verdict: decideVerdict(findings),
    findings,
    api: withoutPassword(api),
    rest,
    bot: report?.state,
    challenge,
    receive: { by, address: `http://${host}:${port}/hooks/signal`, websocket, public: isPublic },
    letters: flags.letters && report ? (await readLetters(directory)).letters : undefined,
  };
  print(flags.json ? `${JSON.stringify(status)}\n` : formatSignalStatus(status, wantsColor()));
  if (status.verdict !== "well") process.exitCode = 1;
}

/** Made here if nobody has made it yet: the REST server may be started first. */
async function showHook({ settings, directory }: SignalContext): Promise<void> {
  const { hookUrl, readOrCreateHookSecret } = await import("../bot/receive/credential.ts");
  const { botFilesIn } = await import("../bot/bot-files.ts");
  const { host, port, secretFile } = settings.receive;
  const secret = readOrCreateHookSecret(secretFile ?? botFilesIn(directory).hookSecret);
  print(`RECEIVE_WEBHOOK_URL=${hookUrl(secret, new URL(`http://${host}:${port}`)).reveal()}\n`);
}

function withoutPassword(api: string): string {
  const url = new URL(api);
  url.password = url.password === "" ? "" : "***";
  return url.href;
}
