const units = [
  ["day", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** A length of time in the largest unit of which there are two or more: "61 days", "3 h", "45 s". */
export function formatDuration(ms: number): string {
  const [unit, unitMs] = units.find(([, length]) => ms >= 2 * length) ?? (["s", 1_000] as const);
  const count = Math.round(ms / unitMs);
  return `${count} ${unit}${unit === "day" && count !== 1 ? "s" : ""}`;
}

/** A time to the minute: "2026-11-21 07:15 UTC". */
export function formatDay(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
