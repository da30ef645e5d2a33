import type { IssuanceLimit, IssuanceLimits } from "./budget.ts";

/** Those of Let's Encrypt. */
export const defaultIssuanceLimits = "certificates=50/7d, duplicates=5/7d, orders=300/3h";

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const names = ["certificates", "duplicates", "orders"] as const;

/** `certificates=50/7d, duplicates=5/7d, orders=300/3h`; what is not named has its default. Throws with the mistake. */
export function parseIssuanceLimits(text: string): IssuanceLimits {
  const defaults = readLimits(defaultIssuanceLimits) as IssuanceLimits;
  return text.trim() === "" ? defaults : { ...defaults, ...readLimits(text) };
}

function readLimits(text: string): Partial<IssuanceLimits> {
  const limits: Partial<Record<keyof IssuanceLimits, IssuanceLimit>> = {};
  for (const part of text.split(",").map((one) => one.trim())) {
    const [, name = "", count = "", length = "", unit = ""] = /^(\w+)=(\d{1,9})\/(\d{1,4})([mhd])$/.exec(part) ?? [];
    const known = names.find((one) => one === name);
    if (!known) throw new Error(`"${part}" is not like certificates=50/7d (${names.join(", ")}; units m, h, d)`);
    if (limits[known]) throw new Error(`${known} is there twice`);
    if (Number(count) < 1 || Number(length) < 1) throw new Error(`"${part}" would let no order through`);
    limits[known] = { count: Number(count), windowMs: Number(length) * unitMs[unit as keyof typeof unitMs] };
  }
  return limits;
}
