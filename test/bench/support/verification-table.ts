import { goalVerificationCpuMs, type VerificationTimes } from "../attestation-verify.ts";
import { line, median, short } from "./table.ts";

export function formatVerification(times: readonly VerificationTimes[]): string {
  const head = ["**a quote, verified offline**", "quote", "CPU ms", "ms: median (min–max)", "rounds"];
  const rows = times.map(({ quote, verifier, wallMs, cpuMs }) => {
    const judged = verifier.startsWith("Postern")
      ? ` (goal ${goalVerificationCpuMs}: ${cpuMs <= goalVerificationCpuMs ? "met" : "missed"})`
      : "";
    const range = `${short(median(wallMs))} (${short(Math.min(...wallMs))}–${short(Math.max(...wallMs))})`;
    return [verifier, quote, `${short(cpuMs)}${judged}`, range, String(wallMs.length)];
  });
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
