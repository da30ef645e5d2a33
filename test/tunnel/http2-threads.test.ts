import { test } from "vitest";
import { startWorld } from "../support/relay-world.ts";
import { testTunnelBehaviour } from "./behaviour.ts";

// Each test starts two threads: test/relay/threads looks at the same for a part of the time.
if (process.env["SLOW"])
  testTunnelBehaviour("one HTTP/2 connection, to a relay of two threads", ({ environment } = {}) =>
    startWorld({ transport: "http2", environment: { RELAY_WORKERS: "2", ...environment } }),
  );
else test.skip("waits for SLOW=1", () => {});
