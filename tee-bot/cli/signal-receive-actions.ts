import { AppError } from "../../shared/errors.ts";
import { systemClock } from "../../shared/clock.ts";
import { jsonLog } from "../../shared/log.ts";
import { aborted, onTermination } from "../../shared/nodejs/termination.ts";
import { openTee } from "../attestation/open-tee.ts";
import { botFilesIn } from "../bot/bot-files.ts";
import { isUrgent } from "../bot/commands/urgent.ts";
import { openMailSlot } from "../bot/mail/mail-slot.ts";
import { readOrCreateHookSecret } from "../bot/receive/credential.ts";
import { startReceiver } from "../bot/receive/receiver.ts";
import { loadSettings } from "../settings/load-settings.ts";
import { defaultStateDirectory } from "../settings/settings-file.ts";
import type { Settings } from "../settings/schema.ts";
import { openStorageKey } from "../store/storage-key.ts";
import { print } from "./command.ts";
import { CliError } from "./failure.ts";
import type { ReceiveFlags } from "./signal-receive.ts";

const hourMs = 60 * 60 * 1000;
const what = "No messages are taken in.";

/** Runs until the process is told to stop. Has no gateway, no client of the REST server, and none of the node's keys but one. */
export async function receive(flags: ReceiveFlags): Promise<void> {
  const stop = onTermination();
  const env = {
    ...process.env,
    ...(flags.config !== undefined && { POSTERN_CONFIG: flags.config }),
    ...(flags.state !== undefined && { POSTERN_STATE: flags.state }),
  };
  const { node, attestation, signal: settings } = readSettings(env);
  const write = (line: string): void => void process.stderr.write(`${line}\n`);
  const log = jsonLog({ process: "signal-receiver", level: node.logLevel, clock: systemClock, write });
  const common = { clock: systemClock, log };

  const files = botFilesIn(env["POSTERN_STATE"] || defaultStateDirectory);
  const tee = await openTee({ settings: attestation, env, ...common });
  const secretPath = settings.receive.secretFile ?? files.hookSecret;
  const secret = readOrCreateHookSecret(secretPath);
  using slot = openMailSlot({
    path: files.mail,
    storageKey: await openStorageKey({ mode: "durable", tee, path: files.storageKey }),
    maxAgeMs: settings.receive.maxAgeHours * hourMs,
    isUrgent,
    ...common,
  });
  await using receiver = await startReceiver({ settings, slot, secret, fetch, random: Math.random, ...common });
  if (process.send) process.send({ ready: true, port: receiver.port });
  else
    print(
      `Messages are taken in at ${settings.receive.host}:${receiver.port}; the password of RECEIVE_WEBHOOK_URL is in ${secretPath}.\n`,
    );
  await aborted(stop);
  log.info("receiver.stopping", { ...receiver.state() });
}

/** Throws {@link CliError} for settings that cannot be used, or that let the node do this. */
function readSettings(env: NodeJS.ProcessEnv): Settings {
  const read = loadSettings(env);
  if (!read.ok) throw new AppError("bad-request", read.mistakes.join("\n"));
  const { settings } = read.effective;
  if (settings.signal.receive.by === "own-process") return settings;
  throw new CliError({
    what,
    why: "By the settings the node itself takes them in (signal.receive.by: node).",
    remedy: "Set signal.receive.by to own-process in postern.yaml, and start the node again; or leave it to the node.",
  });
}
