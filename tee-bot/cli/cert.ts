/** `postern cert`: the certificate of the running node, a renewal now, and what became of earlier orders. */
import { setTimeout as wait } from "node:timers/promises";
import type { Command } from "commander";
import { readHistory } from "../certificate/history.ts";
import type { CertificateReport } from "../certificate/certificate-report.ts";
import { filesIn } from "../config.ts";
import { renewalAnswerSchema } from "../control/status.ts";
import { formatCertificate, formatHistory } from "./cert-view.ts";
import { print, runCommand, stateFlag, stateOf, wantsColor } from "./command.ts";
import { askNode, askStatus } from "./control-client.ts";
import { CliError } from "./failure.ts";

type JsonFlag = { json?: boolean };
const jsonFlag = ["--json", "as JSON"] as const;
const pollMs = 300;

export function addCertificateCommands(program: Command): void {
  const cert = program
    .command("cert")
    .description("tell how the certificate of the running node is")
    .option(...stateFlag)
    .option(...jsonFlag)
    .action((_: unknown, command: Command) =>
      runCommand("The certificate is not known.", () => show(stateOf(command), wantsJson(command))),
    );

  cert
    .command("renew")
    .description("order a new certificate now and wait for it; Ctrl-C leaves the order going")
    .action((_: unknown, command: Command) =>
      runCommand("No new certificate was issued.", () => renew(stateOf(command), wantsJson(command))),
    );

  cert
    .command("history")
    .description("list what became of this node's orders, newest last")
    .action((_: unknown, command: Command) =>
      runCommand("The history is not known.", () => {
        const entries = readHistory(filesIn(stateOf(command)).history);
        print(wantsJson(command) ? `${JSON.stringify(entries)}\n` : formatHistory(entries));
        return Promise.resolve();
      }),
    );
}

function wantsJson(command: Command): boolean {
  return command.optsWithGlobals<JsonFlag>().json ?? false;
}

async function show(state: string, json: boolean): Promise<void> {
  const { certificate, hostnames, troubles } = await askStatus(state);
  const whole = { ...certificate, hostnames, troubles };
  print(json ? `${JSON.stringify(whole)}\n` : formatCertificate(whole, wantsColor()));
  if (certificate.state !== "valid" && certificate.state !== "renewing") process.exitCode = 1;
}

/** Follows the order by the node's own words until an order has ended later than it was asked for. */
async function renew(state: string, json: boolean): Promise<void> {
  const { askedAt } = await askNode(state, "POST", "/v1/certificate/renewal", renewalAnswerSchema);
  let words = "";
  for (;;) {
    const { certificate } = await askStatus(state);
    const { last } = certificate;
    if (last && last.at >= askedAt) return finish(certificate, last, json);
    if (certificate.words !== words && !json) print(`  ${certificate.words}\n`);
    ({ words } = certificate);
    await wait(pollMs);
  }
}

function finish(certificate: CertificateReport, last: NonNullable<CertificateReport["last"]>, json: boolean): void {
  if (json) print(`${JSON.stringify(certificate)}\n`);
  if (last.outcome === "issued") {
    if (!json) print(`${last.words}\n  ${certificate.words}\n`);
    return;
  }
  process.exitCode = 1;
  if (json) return;
  throw new CliError({
    what: "No new certificate was issued.",
    why: certificate.trouble?.detail ?? last.words,
    remedy: certificate.trouble?.remedy ?? "postern cert history lists what was tried.",
  });
}
