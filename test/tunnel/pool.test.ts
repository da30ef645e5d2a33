import { startWorld } from "../support/relay-world.ts";
import { testTunnelBehaviour } from "./behaviour.ts";

testTunnelBehaviour("a pool of connections", (options) => startWorld({ transport: "pool", ...options }));
