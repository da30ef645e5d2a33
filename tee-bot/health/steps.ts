import type { ProofStep } from "../attestation/proof-step.ts";
import type { CertificateKeeper } from "../certificate/certificate-keeper.ts";
import type { Registrar } from "../registration/registrar.ts";
import type { Tunnels } from "../tunnel/tunnels.ts";
import type { StepReport } from "./health.ts";
import type { NameWatch } from "./name-watch.ts";
import { reportPaths, type PublicPath } from "./public-paths.ts";

export interface StepSources {
  node: string;
  alias: string | undefined;
  registrar: Registrar;
  proof: ProofStep;
  certificates: CertificateKeeper;
  tunnels: Tunnels;
  watch: NameWatch;
  paths: readonly PublicPath[];
}

/** How far each step has come, in words an operator can act on. */
export function reportSteps({
  node,
  alias,
  registrar,
  proof,
  certificates,
  tunnels,
  watch,
  paths,
}: StepSources): StepReport[] {
  const { current, fresh } = registrar;
  const up = tunnels.up.length;
  return [
    { step: "identity", ok: true, detail: `This node is ${node}.` },
    {
      step: "registration",
      ok: fresh && registrar.problem === undefined,
      detail: registrar.problem ?? (fresh ? `Registered, epoch ${current?.epoch}.` : "The edge has not answered yet."),
    },
    aliasStep(alias, registrar),
    { step: "attestation", ...proof },
    {
      step: "certificate",
      ok: certificates.problem === undefined,
      detail: certificates.problem ?? certificates.report.words,
    },
    {
      step: "tunnels",
      ok: up > 0 && up === tunnels.total,
      detail:
        tunnels.total === 0
          ? "The edge names no relay that is up."
          : [`${up} of ${tunnels.total} relays are connected.`, ...tunnels.fallbacks].join(" "),
    },
    {
      step: "loopback",
      ok: watch.problem === undefined,
      detail: watch.problem ?? "The public name leads here, and our own key answers.",
    },
    reportPaths(paths),
  ];
}

function aliasStep(alias: string | undefined, { current, aliasProblem }: Registrar): StepReport {
  if (alias === undefined) return { step: "alias", ok: true, detail: "No alias is wanted." };
  const hostname = current?.hostnames.find((name) => name === `${alias}.${current.zone}`);
  if (hostname) return { step: "alias", ok: true, detail: `${hostname} is this node's.` };
  return { step: "alias", ok: false, detail: aliasProblem ?? "It has not been claimed yet." };
}
