/**
 * What runs in the TD: checks over event log, compose text and VM configuration, all of which anybody could have written,
 * against the registers of a quote. They say nothing of the quote itself.
 */
import { attempt } from "../attempt.ts";
import { hashCompose, parseAppCompose, type AppCompose } from "./app-compose.ts";
import { failed, pass, skip, type Check } from "../check.ts";
import type { QuoteEvidence } from "../evidence.ts";
import { replayEventLog } from "./event-log.ts";
import { judgeGpuEvidence } from "./gpu-evidence.ts";
import { rejected } from "../rejected.ts";
import { readMeasuredApp, type MeasuredApp } from "./measured-app.ts";
import { judgeMrConfigId } from "./mr-config.ts";
import { checkOsImage } from "./os-image-check.ts";
import { parseJson } from "../parse-json.ts";
import type { Policy } from "../policy.ts";
import type { TdReport } from "../dcap/td-report.ts";
import { toHex } from "../../hex.ts";
import { z } from "zod";

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
  const compose = await checkCompose(subject, app, policy);
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

async function checkCompose(subject: ApplicationEvidence, app: MeasuredApp, policy: Policy): Promise<Check[]> {
  const { app_compose: text, vm_config } = subject.evidence;
  const { composeHash } = app;
  if (policy.compose && !policy.compose.includes(composeHash))
    return [
      failed("compose", `The measured compose text is ${composeHash}, which the policy does not name.`),
      skip("images", "The application is not one that the policy names."),
    ];
  if (text === undefined) {
    const named = policy.compose
      ? pass("compose", `The measured hash ${composeHash} is one that the policy names; the text is not shown.`)
      : skip("compose", `The operator does not show the text whose hash ${composeHash} was measured.`);
    return [named, skip("images", "The compose text is not shown.")];
  }
  const shown = await hashCompose(text);
  if (shown !== composeHash)
    return [
      failed("compose", `The text shown hashes to ${shown}, and ${composeHash} was measured.`),
      skip("images", "The compose text shown is not the measured one."),
    ];
  const parsed = await attempt(() => parseAppCompose(text));
  if (parsed.fault !== undefined) return [failed("compose", parsed.fault), skip("images", parsed.fault)];
  const { mrConfigId } = subject.report;
  const document = vmConfigSchema.safeParse(parseJson(vm_config)).data?.mr_config;
  const verdict = await judgeMrConfigId(mrConfigId, { ...app, keyProviderId: parsed.value.keyProviderId, document });
  if (verdict === "differs")
    return [failed("compose", "MRCONFIGID names another application."), checkImages(parsed.value)];
  const by = policy.compose ? "is one that the policy names" : "was measured; the policy names none";
  const also = verdict === "matches" ? ", and MRCONFIGID says the same" : "";
  return [pass("compose", `The text shown hashes to ${composeHash}, which ${by}${also}.`), checkImages(parsed.value)];
}

const vmConfigSchema = z.object({ mr_config: z.string().optional() });

const shownNames = 4;

function checkImages({ images, hasScript }: AppCompose): Check {
  const loose = images.filter(({ digest }) => digest === undefined);
  const names = loose.map(({ service, image }) => image ?? `what ${service} is made of`).slice(0, shownNames);
  if (loose.length > 0)
    return failed("images", `Not known by a digest, so the code can change unnoticed: ${names.join(", ")}.`);
  const script = hasScript ? " A script of the compose text runs beside them; read it." : "";
  return pass("images", `All ${images.length} images are named by digest.${script}`);
}

function checkKeyProvider({ keyProvider: { name, id } }: MeasuredApp, { keyProviderIds }: Policy): Check {
  const shown = id.length > 40 ? `${id.slice(0, 40)}…` : id;
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
