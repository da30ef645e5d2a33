/** Whether the compose text that is shown is the measured one, and whether it names its images so that they cannot change. */
import { attempt } from "../attempt.ts";
import { failed, pass, skip, type Check } from "../check.ts";
import type { TdReport } from "../dcap/td-report.ts";
import type { QuoteEvidence } from "../evidence.ts";
import type { Policy } from "../policy.ts";
import { hashCompose, parseAppCompose, readKeyProviderId } from "./app-compose.ts";
import type { MeasuredApp } from "./measured-app.ts";
import { judgeMrConfigId, readMrConfigDocument } from "./mr-config.ts";

interface Subject {
  readonly evidence: Pick<QuoteEvidence, "app_compose" | "vm_config">;
  readonly app: MeasuredApp;
  readonly report: TdReport;
}

export async function checkCompose({ evidence, app, report }: Subject, policy: Policy): Promise<Check[]> {
  const { app_compose: text, vm_config } = evidence;
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
  const said = { ...app, keyProviderId: readKeyProviderId(text), document: readMrConfigDocument(vm_config) };
  const verdict = await judgeMrConfigId(report.mrConfigId, said);
  if (verdict === "differs")
    return [failed("compose", "MRCONFIGID names another application."), await checkImages(text)];
  const by = policy.compose ? "is one that the policy names" : "was measured; the policy names none";
  const also = verdict === "matches" ? ", and MRCONFIGID says the same" : "";
  return [pass("compose", `The text shown hashes to ${composeHash}, which ${by}${also}.`), await checkImages(text)];
}

/** How many of what is not known by a digest are told. */
const toldNames = 4;

async function checkImages(text: string): Promise<Check> {
  const parsed = await attempt(() => parseAppCompose(text));
  if (parsed.fault !== undefined) return skip("images", parsed.fault);
  const { images, includesOthers, hasScript } = parsed.value;
  const loose = images.filter(({ digest }) => digest === undefined);
  const names = loose.map(({ service, image }) => image ?? `the service ${service}`);
  if (includesOthers) names.unshift("the files that it includes");
  if (names.length > 0)
    return failed("images", `Not known by a digest, so the code can change: ${names.slice(0, toldNames).join(", ")}.`);
  const script = hasScript ? " A script of the compose text runs beside them; read it." : "";
  if (images.length === 0) return skip("images", `The compose text has no image.${script}`);
  return pass("images", `All ${images.length} images are named by digest.${script}`);
}
