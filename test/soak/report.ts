/** What a soak tells: a line a minute, and at the end everything. */
import type { Verdict } from "./judge.ts";
import type { SoakOptions } from "./options.ts";
import type { Course } from "./soak.ts";

const gib = 1 << 30;
const shownFindings = 30;

export function minuteLine({ notes, seconds, cpuShare }: Course): string {
  const { exchanges, bytes, disturbances, unexcused, stuck, incidents } = notes;
  return [
    `${clockOf(seconds)}  ${exchanges} exchanges`,
    `${(bytes / gib).toFixed(2)} GiB compared`,
    `${disturbances.length} faults`,
    `${unexcused.length} failures without one`,
    `${stuck.length} stuck, ${incidents.length} incidents`,
    `CPU ${Math.round(cpuShare * 100)} %`,
  ].join(" · ");
}

export function finalReport({ notes, seconds, cpuShare }: Course, { seed }: SoakOptions, verdict: Verdict): string {
  const rows = [...notes.counts].map(([kind, { done, failed, short, corrupt }]) => [
    kind,
    done,
    failed,
    short,
    corrupt,
  ]);
  const slowest = notes.recoveries.reduce((most, ms) => Math.max(most, ms), 0);
  const shown = verdict.findings.slice(0, shownFindings);
  return [
    "",
    table([["visitors", "done", "cut", "cut short in order", "corrupt"], ...rows]),
    "",
    `${clockOf(seconds)} long, ${(notes.bytes / gib).toFixed(2)} GiB compared, CPU ${Math.round(cpuShare * 100)} %, seed ${seed}`,
    `${notes.recoveries.length} recoveries, the slowest ${(slowest / 1_000).toFixed(1)} s after all ran again`,
    ...verdict.growths.filter(({ perHour }) => perHour !== undefined).map(({ words }) => `  ${words}`),
    "",
    ...shown.map((finding) => `  ${finding}`),
    ...(verdict.findings.length > shownFindings ? [`  and ${verdict.findings.length - shownFindings} more`] : []),
    verdict.ok ? "PASSED" : `FAILED: ${verdict.findings.length} findings`,
    "",
  ].join("\n");
}

/** Everything, for a program to read. */
export function jsonReport(
  { notes, samples, seconds, cpuShare }: Course,
  options: SoakOptions,
  verdict: Verdict,
): string {
  const { counts, bytes, recoveries, disturbances, unexcused } = notes;
  const { ok, findings } = verdict;
  const told = {
    ok,
    findings,
    options,
    seconds,
    cpuShare,
    bytes,
    counts: Object.fromEntries(counts),
    recoveries,
    disturbances,
    unexcused,
    series: samples.series,
  };
  return `${JSON.stringify(told, null, 2)}\n`;
}

function clockOf(seconds: number): string {
  const part = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  return `${part(seconds / 3_600)}:${part((seconds / 60) % 60)}:${part(seconds % 60)}`;
}

function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => String(row[at]).length))) ?? [];
  const line = (row: readonly (string | number)[]): string =>
    row
      .map((cell, at) => (at === 0 ? String(cell).padEnd(widths[at] ?? 0) : String(cell).padStart(widths[at] ?? 0)))
      .join("  ");
  return rows.map(line).join("\n");
}
