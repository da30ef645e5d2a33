#!/usr/bin/env node
import { Command } from "commander";
import { systemClock } from "../../shared/clock.ts";
import { version } from "../../shared/version.ts";
import { parseTarget } from "../expose/target.ts";
import { nodeStatusSchema } from "../control/status.ts";
import { defaultControlPort, defaultGatewayPort } from "../settings/node-settings.ts";
import { defaultStateDirectory } from "../settings/settings-file.ts";
import { addCertificateCommands } from "./cert.ts";
import { addConfigCommands } from "./config.ts";
import { askNode, askStatus } from "./control-client.ts";
import { print, runCommand as run, stateFlag, stateOf, wantsColor, type StateFlag } from "./command.ts";
import { addKeyCommands } from "./keys.ts";
import type { StartFlags } from "./start.ts";
import { formatStatus } from "./status-view.ts";
import { addSignalCommands } from "./signal.ts";
import { addVerifyCommand } from "./verify.ts";
import { addWatchCommand } from "./watch.ts";
import { addTeeCommands } from "./tee.ts";

const program = new Command("postern")
  .description("A private AI node behind a public HTTPS name of its own.")
  .version(version)
  .showHelpAfterError();

program
  .command("start")
  .description("run a node until it is told to stop")
  .option("--config <file>", "the settings (POSTERN_CONFIG; default: postern.yaml in the state directory)")
  .option("--edge <url>", "the edge that gives the name (POSTERN_EDGE)")
  .option("--alias <name>", "a friendly name to claim beside the 52-character one (POSTERN_ALIAS)")
  .option("--expose <target>", "gateway, http://host:port, or tls://host:port[?proxy=v2] (POSTERN_EXPOSE)")
  .option("--acme-account <whose>", "edge or node: whose ACME account orders the certificate (POSTERN_ACME_ACCOUNT)")
  .option("--tunnel <transport>", "auto, pool, tls or http2: how visitors come from the relays (POSTERN_TUNNEL)")
  .option("--tee <where>", "auto, dstack, simulated or off: where the keys come from (POSTERN_ATTESTATION_TEE)")
  .option("--gateway-port <port>", `local port of the gateway (default: ${defaultGatewayPort})`)
  .option("--control-port <port>", `local port of the control API (default: ${defaultControlPort})`)
  .option("--state <dir>", `where keys and certificate are kept (default: ${defaultStateDirectory})`)
  .action((flags: StartFlags) =>
    run("The node did not start.", async () => {
      const { start } = await import("./start.ts"); // the whole node, which the other commands do without
      await start(flags);
    }),
  );

program
  .command("status")
  .description("tell how the running node is, step by step")
  .option(...stateFlag)
  .option("--json", "as JSON")
  .action(({ state, json }: StateFlag & { json?: boolean }) =>
    run("The status is not known.", async () => {
      const status = await askStatus(state);
      print(json ? `${JSON.stringify(status)}\n` : formatStatus(status, wantsColor(), systemClock.now()));
      if (status.health.status !== "healthy") process.exitCode = 1;
    }),
  );

program
  .command("expose")
  .description("change what is behind the public name of the running node")
  .argument("<target>", "gateway, http://host:port, or tls://host:port[?proxy=v2]")
  .option(...stateFlag)
  .action((target: string, { state }: StateFlag) =>
    run("Nothing was changed.", async () => {
      parseTarget(target);
      const status = await askNode(state, "PUT", "/v1/exposure", nodeStatusSchema, { target });
      print(`${status.url ?? "The name"} now leads to ${status.target}.\n`);
    }),
  );

const identity = () => import("./id.ts"); // with the TEE's keys, which the other commands do without

const id = program
  .command("id")
  .description("tell who this node is; make its key at the first time")
  .option(...stateFlag)
  .action(({ state }: StateFlag) =>
    run("The identity is not known.", async () => print(await (await identity()).showIdentity(state))),
  );

id.command("export")
  .description("copy the private key to a file")
  .argument("<file>")
  .action((file: string, _: unknown, command: Command) =>
    run("Nothing was exported.", async () => print(await (await identity()).exportIdentity(stateOf(command), file))),
  );

id.command("import")
  .description("become the node whose private key (PKCS #8 PEM, Ed25519) is in the file")
  .argument("<file>")
  .option("--replace", "give up the present key")
  .action((file: string, { replace }: { replace?: boolean }, command: Command) =>
    run("Nothing was imported.", async () =>
      print(await (await identity()).importIdentity(stateOf(command), file, replace ?? false)),
    ),
  );

addCertificateCommands(program);
addConfigCommands(program);
addKeyCommands(program);
addVerifyCommand(program);
addWatchCommand(program);
addTeeCommands(program);
addSignalCommands(program);

await program.parseAsync();
