import { startWorld } from "../support/relay-world.ts";
import { testTunnelBehaviour } from "./behaviour.ts";

testTunnelBehaviour("one HTTP/2 connection, to a relay of two threads", ({ environment } = {}) =>
  startWorld({ transport: "http2", environment: { RELAY_WORKERS: "2", ...environment } }),
);
