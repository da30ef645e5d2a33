/** Which code it is, for a person to compare: only where all that is required has passed. */
import { parseAppCompose } from "../../../shared/attestation/dstack/app-compose.ts";
import type { NodeReport } from "../verify/verification.ts";

/** Names and values, in the order in which they are shown; none where the verdict does not carry them. */
export function describeCode(report: NodeReport): [name: string, value: string][] {
  const { measured, shown } = report;
  if (!measured || !isGood(report)) return [];
  const { composeHash, appId, keyProvider, mrtd, rtmr, tcbStatus, advisories } = measured;
  const rows: [string, string | undefined][] = [
    ["compose", composeHash && `sha256:${composeHash}`],
    ["application", appId],
    ...listImages(report).map((image): [string, string] => ["image", image]),
    ["mrtd", mrtd],
    ["rtmr1", rtmr[1]],
    ["rtmr2", rtmr[2]],
    ["firmware", [tcbStatus, ...advisories].filter(Boolean).join(", ")],
    ["keys from", keyProvider && `${keyProvider.name} ${keyProvider.id}`],
    ["node", shown?.keyset.node_id],
    ["signal key", shown?.keyset.signal_identity],
    ["signal", shown?.keyset.signal_safety_number?.replaceAll(/.{5}(?!$)/g, "$& ")],
  ];
  return rows.flatMap(([name, value]) => (value ? [[name, value]] : []));
}

/** Each service of the measured compose text with its image as it is written there. */
export function listImages(report: NodeReport): string[] {
  const composed = report.checks.some(({ id, outcome }) => id === "compose" && outcome === "pass");
  const text = report.shown?.evidence.app_compose;
  if (!composed || !isGood(report) || text === undefined) return [];
  try {
    return parseAppCompose(text).images.map(({ service, image }) => `${service}: ${image ?? "built where it runs"}`);
  } catch {
    return []; // the check `images` says what is wrong with it
  }
}

function isGood({ verdict }: NodeReport): boolean {
  return verdict === "verified" || verdict === "simulated";
}
