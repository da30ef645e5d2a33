import { startWorld } from "../support/relay-world.ts";
import { testTunnelBehaviour } from "./behaviour.ts";

testTunnelBehaviour("a pool of connections inside TLS, to a relay of two threads", ({ environment } = {}) =>
  startWorld({ transport: "tls", environment: { RELAY_WORKERS: "2", ...environment } }),
);
