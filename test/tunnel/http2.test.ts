import { startWorld } from "../support/relay-world.ts";
import { testTunnelBehaviour } from "./behaviour.ts";

testTunnelBehaviour("one HTTP/2 connection", (options) => startWorld({ transport: "http2", ...options }));
