/** `postern signal receive`: takes in messages beside the node, so that none is lost while the node is down. */
import type { Command } from "commander";
import { runCommand } from "./command.ts";
import { defaultStateDirectory } from "../settings/settings-file.ts";

export interface ReceiveFlags {
  config?: string;
  state?: string;
}

export function addReceiveCommand(signal: Command): void {
  signal
    .command("receive")
    .description(
      "take in messages until it is told to stop, also while the node is down (signal.receive.by: own-process)",
    )
    .option("--config <file>", "the settings (POSTERN_CONFIG; default: postern.yaml in the state directory)")
    .option("--state <dir>", `the node's state directory (POSTERN_STATE; default: ${defaultStateDirectory})`)
    .action((flags: ReceiveFlags) =>
      runCommand("No messages are taken in.", async () => {
        const { receive } = await import("./signal-receive-actions.ts"); // settings, TEE, SQLite
        await receive(flags);
      }),
    );
}
