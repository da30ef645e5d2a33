import { startWorld } from "../support/relay-world.ts";
import { testTunnelBehaviour } from "./behaviour.ts";

testTunnelBehaviour("a pool of connections, to a relay of two threads", ({ environment } = {}) =>
  startWorld({ transport: "pool", environment: { RELAY_WORKERS: "2", ...environment } }),
);
