import { attempt } from "../attempt.ts";
import { failed, pass, skip, type Check } from "../check.ts";
import { computeOsImage, type OsImage } from "./os-image.ts";
import type { Policy } from "../policy.ts";
import type { TdReport } from "../dcap/td-report.ts";
import { toHex } from "../../hex.ts";

/**
 * Whether the operating system is one that the policy names: by its registers, or by its image's hash where the registers
 * can be computed from what is shown. One that nobody names is unknown, however well its registers agree with its own word.
 */
export async function checkOsImage(
  report: TdReport,
  vmConfig: string | undefined,
  { os, osImage }: Policy,
): Promise<Check> {
  const [mrtd, , rtmr1, rtmr2] = [report.mrtd, ...report.rtmr].map(toHex);
  const pinned = os?.find((one) => one.mrtd === mrtd && one.rtmr1 === rtmr1 && one.rtmr2 === rtmr2);
  const computed = await attempt(() => computeOsImage(vmConfig));
  if (computed.fault !== undefined) return failed("os-image", computed.fault);
  const image = computed.value;
  if (image && !agrees(image, { mrtd, rtmr1, rtmr2 }))
    return failed("os-image", `The registers are not those of the image ${image.hash} that it says it runs.`);
  if (pinned) return pass("os-image", `MRTD, RTMR1 and RTMR2 are those of ${pinned.name}.`);
  if (image && osImage?.includes(image.hash))
    return pass("os-image", `MRTD, RTMR1 and RTMR2 are those of the image ${image.hash}, which the policy names.`);
  if (os || (osImage && image))
    return failed("os-image", "The registers are those of no operating system that the policy names.");
  if (osImage)
    return skip("os-image", "The registers cannot be computed from what is shown; name them in the policy (os).");
  return skip(
    "os-image",
    image ? `It is the image ${image.hash}; the policy names none.` : "The policy names no operating system.",
  );
}

interface Registers {
  readonly mrtd: string | undefined;
  readonly rtmr1: string | undefined;
  readonly rtmr2: string | undefined;
}

function agrees(image: OsImage, { mrtd, rtmr1, rtmr2 }: Registers): boolean {
  return mrtd !== undefined && image.mrtd.includes(mrtd) && image.rtmr1 === rtmr1 && image.rtmr2 === rtmr2;
}
