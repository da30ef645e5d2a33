/** `postern signal chat`: talks to the bot without a telephone, through the simulator. */
import type { Command } from "commander";
import { systemClock } from "../../shared/clock.ts";
import { onTermination } from "../../shared/nodejs/termination.ts";
import { runCommand, wantsColor } from "./command.ts";
import { CliError } from "./failure.ts";

interface ChatFlags {
  url: string;
  from: string;
  group?: string;
  wait: string;
}

const what = "The chat did not begin.";
const usualAddress = "http://127.0.0.1:8147";
const maxWaitSeconds = 3_600;

export function addChatCommand(signal: Command): void {
  signal
    .command("chat")
    .description("talk to the bot through the simulator; lines piped in are sent one after the other")
    .option("--url <url>", "of the simulator: npm start -- --signal simulated prints it", usualAddress)
    .option("--from <name>", "whose telephone this is", "you")
    .option("--group <name>", "in a group of this name, which is made at first use")
    .option("--wait <seconds>", "how long a line that is piped in waits for its answer", "120")
    .action((flags: ChatFlags) => runCommand(what, () => chat(flags)));
}

async function chat({ url, from, group, wait }: ChatFlags): Promise<void> {
  const seconds = Number(wait);
  if (!/^\d+$/.test(wait) || seconds < 1 || seconds > maxWaitSeconds)
    throw new CliError({ what, why: `--wait takes 1 to ${maxWaitSeconds} seconds.`, remedy: "Leave it out for 120." });
  const { openChat } = await import("./chat-client.ts");
  const { chatByLines, chatInTerminal } = await import("./chat-session.ts");
  const over = new AbortController();
  const stop = AbortSignal.any([onTermination(), over.signal]);
  const { stdin: input, stdout: output } = process;
  const client = openChat({ url, from, group }, { clock: systemClock, signal: stop });
  const session = { client, input, output, color: wantsColor(), clock: systemClock, signal: stop };
  try {
    if (input.isTTY && output.isTTY) await chatInTerminal(session);
    else await chatByLines(session, seconds * 1_000);
  } finally {
    over.abort();
    input.destroy();
  }
}
