import { connect } from "cloudflare:sockets";
import type { Config } from "../config.ts";
import type { Propagation } from "../../shared/acme/ports.ts";
import type { Clock } from "../../shared/clock.ts";
import { createAuthorities } from "../../shared/dns/authority.ts";
import { createDohServer } from "../../shared/dns/doh.ts";
import { createPropagation } from "../../shared/dns/propagation.ts";

/** How TXT records of the zone are seen from outside. One for each configuration: it remembers the zone's servers. */
export function zonePropagation(config: Config, clock: Clock): Propagation {
  const held = propagations.get(config) ?? createZonePropagation(config, clock);
  propagations.set(config, held);
  return held;
}

const propagations = new WeakMap<Config, Propagation>();

function createZonePropagation({ zone, resolvers, dns }: Config, clock: Clock): Propagation {
  const parts = { fetch: (input: RequestInfo | URL, init?: RequestInit) => fetch(input, init) }; // workerd's `this`
  const authorities = createAuthorities({
    zone,
    connect,
    clock,
    resolvers: resolvers.map((url) => createDohServer({ url, ...parts })),
    addresses: dns.authorities,
  });
  return createPropagation({ resolvers, authorities, ...parts });
}
