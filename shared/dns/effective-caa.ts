import { rcodes } from "./message.ts";
import type { DnsServer } from "./server.ts";
import { AppError } from "../errors.ts";

/** The CAA records by which a CA would judge a name. */
export interface EffectiveCaa {
  /** Where they stand: the name itself or one above it, up to the zone. */
  readonly at: string;
  /** `0 issue "ca.example"`; empty when there are none up to the zone. */
  readonly contents: readonly string[];
}

/**
 * Climbs from `name` to the first name that has CAA records (RFC 8659 §3), as a CA does, and stops at the zone: what
 * stands above it is not the zone's. Throws what the resolver throws, and `upstream-unavailable` when that cannot tell.
 */
export async function fetchEffectiveCaa(name: string, zone: string, resolver: DnsServer): Promise<EffectiveCaa> {
  let at = name;
  for (;;) {
    const { rcode, records } = await resolver.ask(at, "CAA");
    if (rcode !== rcodes.noError && rcode !== rcodes.noSuchName)
      throw new AppError(
        "upstream-unavailable",
        `${resolver.address} cannot tell the CAA records of ${at} (code ${rcode}).`,
      );
    const contents = records.filter(({ type }) => type === "CAA").map(({ content }) => content);
    if (contents.length > 0 || at === zone || !at.endsWith(`.${zone}`)) return { at, contents };
    at = at.slice(at.indexOf(".") + 1);
  }
}
