/** CAA records of a name as the Internet sees them: by every resolver, since one that lies or lags is not alone. */
import { fetchEffectiveCaa } from "../../../shared/dns/effective-caa.ts";
import type { DnsServer } from "../../../shared/dns/server.ts";
import { AppError, errorText } from "../../../shared/errors.ts";
import { normaliseCaaSet } from "./decide-caa.ts";

/** What any resolver sees; each sight apart, since records that nobody sees together must not be judged together. */
export async function lookAtCaa(name: string, resolvers: readonly DnsServer[]): Promise<readonly string[][]> {
  const looks = await Promise.allSettled(resolvers.map((resolver) => fetchEffectiveCaa(name, topOf(name), resolver)));
  const sights = looks.flatMap((look) => (look.status === "fulfilled" ? [normaliseCaaSet(look.value.contents)] : []));
  if (sights.length > 0) return sights;
  const reasons = looks.map((look) => (look.status === "rejected" ? errorText(look.reason) : ""));
  throw new AppError("upstream-unavailable", `No resolver tells the CAA records of ${name}: ${reasons.join("; ")}`);
}

/** A CA climbs to the top-level domain (RFC 8659 §3). */
const topOf = (name: string): string => name.slice(name.lastIndexOf(".") + 1);
