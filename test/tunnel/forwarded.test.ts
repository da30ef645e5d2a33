import { startForwardingWorld } from "../support/fleet-world.ts";
import { testTunnelBehaviour } from "./behaviour.ts";

testTunnelBehaviour("a relay that has it and one that forwards to it", (options) =>
  startForwardingWorld({ transport: "pool", ...options }),
);
