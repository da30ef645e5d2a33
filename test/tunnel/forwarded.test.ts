import { startForwardingWorld } from "../support/fleet-world.ts";
import { testTunnelBehaviour } from "./behaviour.ts";

// Three processes' worth of work in one: pings are answered later than between machines.
const patient = { RELAY_PING_MS: "1000" };

testTunnelBehaviour("another relay than the one that visitors come to", ({ environment } = {}) =>
  startForwardingWorld({ transport: "pool", environment: { ...patient, ...environment } }),
);
