/**
 * What runs in the TD: checks over event log, compose text and VM configuration, all of which anybody could have written,
 * against the registers of a quote. They say nothing of the quote itself.
 */
import { attempt } from "../attempt.ts";
import { failed, pass, skip, type Check } from "../check.ts";
import type { QuoteEvidence } from "../evidence.ts";
import { replayEventLog } from "./event-log.ts";
import { checkCompose } from "./compose-check.ts";
import { judgeGpuEvidence } from "./gpu-evidence.ts";
import { rejected } from "../rejected.ts";
import { readMeasuredApp, type MeasuredApp } from "./measured-app.ts";
import { checkOsImage } from "./os-image-check.ts";
import type { Policy } from "../policy.ts";
import type { TdReport } from "../dcap/td-report.ts";
import { toHex } from "../../hex.ts";

export interface ApplicationEvidence {
  readonly evidence: Pick<QuoteEvidence, "event_log" | "app_compose" | "vm_config">;
  /** Output of `nvattest`, where it is shown. */
  readonly gpuAttestation: string | undefined;
  readonly report: TdReport;
}

export interface ApplicationFindings {
  readonly checks: readonly Check[];
  /** Undefined unless the log replays to the registers. */
  readonly app: MeasuredApp | undefined;
}

export async function checkApplication(subject: ApplicationEvidence, policy: Policy): Promise<ApplicationFindings> {
  const { evidence, report } = subject;
  const os = await checkOsImage(report, evidence.vm_config, policy);
  const log = await attempt(() => readLog(evidence.event_log, report));
  if (log.fault !== undefined) {
    const unknown = "The event log was refused, so nothing is known of the application.";
    const rest = (["compose", "images", "key-provider", "gpu"] as const).map((id) => skip(id, unknown));
    return { checks: [failed("event-log", log.fault), ...rest, os], app: undefined };
  }
  const app = log.value;
  const compose = await checkCompose({ ...subject, app }, policy);
  const logged = pass("event-log", "The log replays to RTMR0, 1, 2 and 3, with dstack's own digests computed anew.");
  return {
    checks: [logged, ...compose, checkKeyProvider(app, policy), os, await checkGpu(subject, app)],
    app,
  };
}

async function readLog(text: string, { rtmr }: TdReport): Promise<MeasuredApp> {
  const { events, registers } = await replayEventLog(text);
  const wrong = registers.findIndex((register, at) => register !== toHex(rtmr[at] ?? new Uint8Array()));
  if (wrong >= 0) throw rejected(`The event log does not replay to RTMR${wrong}: it is not what happened.`);
  return readMeasuredApp(events);
}

const shownIdLength = 40;

function checkKeyProvider({ keyProvider: { name, id } }: MeasuredApp, { keyProviderIds }: Policy): Check {
  const shown = id.length > shownIdLength ? `${id.slice(0, shownIdLength)}…` : id;
  const said = `The measured key provider is ${JSON.stringify(name)} ${shown}`;
  if (!keyProviderIds) return skip("key-provider", `${said}; the policy names none.`);
  return keyProviderIds.includes(id.toLowerCase())
    ? pass("key-provider", `${said}, which the policy names.`)
    : failed("key-provider", `${said}, which the policy does not name.`);
}

async function checkGpu(
  { gpuAttestation }: ApplicationEvidence,
  { gpuAttestation: measured }: MeasuredApp,
): Promise<Check> {
  if (gpuAttestation === undefined)
    return skip("gpu", measured ? "GPU evidence was measured at boot, but is not shown." : "There is no GPU evidence.");
  if (!measured) return failed("gpu", "GPU evidence is shown that was never measured.");
  const verdict = await judgeGpuEvidence(measured, gpuAttestation);
  return "fault" in verdict
    ? failed("gpu", verdict.fault)
    : pass("gpu", `At boot NVIDIA's tool accepted ${verdict.gpus.join(", ")}; the system measured its answer.`);
}
