/** Where visitors reach each relay of the fleet, as the relays themselves say, or as the names they give resolve. */
import { isIP } from "node:net";
import type { Clock } from "../../shared/clock.ts";
import type { FleetRelay } from "../../shared/registry/messages.ts";
import { canonicalAddress, isLocalName, type Door } from "./targets.ts";

/** As long as the address records of relays commonly live. */
const rememberMs = 60_000;

export type DoorRelay = Pick<FleetRelay, "relay" | "host" | "port" | "addresses">;
export type Resolve = (host: string) => Promise<string[] | undefined>;

export class Doors {
  readonly #options: { resolve: Resolve; clock: Clock };
  readonly #remembered = new Map<string, { addresses: readonly string[]; until: number }>();

  constructor(options: { resolve: Resolve; clock: Clock }) {
    this.#options = options;
  }

  of(fleet: readonly DoorRelay[]): Promise<Door[]> {
    for (const host of this.#remembered.keys())
      if (!fleet.some((relay) => relay.host === host)) this.#remembered.delete(host);
    return Promise.all(
      fleet.map(async ({ relay, port, ...where }) => ({ relay, port, addresses: await this.#addressesOf(where) })),
    );
  }

  async #addressesOf({ host, addresses }: Pick<DoorRelay, "host" | "addresses">): Promise<readonly string[]> {
    if (addresses.length > 0) return addresses.map(canonicalAddress);
    if (isIP(host) !== 0) return [canonicalAddress(host)];
    if (host === "localhost" || isLocalName(host)) return ["127.0.0.1"];
    const { resolve, clock } = this.#options;
    const known = this.#remembered.get(host);
    if (known && clock.now() < known.until) return known.addresses;
    const resolved = (await resolve(host)) ?? known?.addresses ?? [];
    this.#remembered.set(host, { addresses: resolved, until: clock.now() + rememberMs });
    return resolved;
  }
}
