import { failed, pass, skip, type Check, type CheckId } from "../../../shared/attestation/check.ts";

/** Checks over one part of a report, and what that part is called in a sentence. */
export interface Part {
  readonly who: string;
  readonly checks: readonly Check[];
}

/**
 * One check over all parts: failed when anything of any part failed, skipped when something required of any part was not
 * looked at. `none`: what it means that there is no part.
 */
export function summarize(id: CheckId, parts: readonly Part[], required: readonly CheckId[], none: string): Check {
  if (parts.length === 0) return failed(id, none);
  for (const { who, checks } of parts) {
    const bad = checks.filter(({ outcome }) => outcome === "fail");
    if (bad.length > 0) return failed(id, `${who}: ${bad.map((check) => `${check.id}: ${check.detail}`).join(" ")}`);
  }
  for (const { who, checks } of parts) {
    const missing = required.find((one) => !checks.some((check) => check.id === one && check.outcome === "pass"));
    if (missing === undefined) continue;
    const said = checks.find((check) => check.id === missing)?.detail ?? "It was not looked at.";
    return skip(id, `${who}: ${missing}: ${said}`);
  }
  const [only] = parts;
  const said = required.length === 1 ? only?.checks.find((check) => check.id === required[0])?.detail : undefined;
  return pass(
    id,
    parts.length === 1 ? (said ?? `${only?.who}: all that is required passed.`) : `All ${parts.length} passed.`,
  );
}
