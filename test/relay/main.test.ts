import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EdgeStandIn } from "../support/edge-stand-in.ts";
import { zone } from "../support/relay-world.ts";

let directory: string;
let edge: EdgeStandIn;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "postern-relay-main-"));
  edge = await new EdgeStandIn(zone).start();
});
afterEach(async () => {
  await edge[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

function startMain(environment: Record<string, string> = {}): ChildProcess {
  return fork("relay/main.ts", [], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: {
      ...process.env,
      RELAY_EDGE_URL: edge.url,
      RELAY_ZONE: zone,
      RELAY_LISTEN_HOST: "127.0.0.1",
      RELAY_PORT: "0",
      RELAY_PRIVATE_PORT: "0",
      RELAY_IDENTITY_FILE: join(directory, "relay.pem"),
      ...environment,
    },
  });
}

describe("the relay process", () => {
  test("tells its launcher when it is ready, keeps its identity, and stops on SIGTERM", async () => {
    const ids: string[] = [];
    for (let start = 0; start < 2; start++) {
      const relay = startMain();
      const [ready] = (await once(relay, "message")) as [
        { ready: boolean; port: number; privatePort: number; relay: string },
      ];
      expect(ready).toMatchObject({ ready: true, port: expect.any(Number), privatePort: expect.any(Number) });
      expect(edge.reports.at(-1)?.port).toBe(ready.port);
      ids.push(ready.relay);
      relay.kill("SIGTERM");
      expect(await once(relay, "exit")).toEqual([0, null]);
    }
    expect(ids[0]).toBe(ids[1]);
    expect(statSync(join(directory, "relay.pem")).mode & 0o777).toBe(0o600);
    expect(edge.reports.at(-1)?.draining).toBe(true);
  });

  test("ends when its launcher is gone", async () => {
    const relay = startMain();
    await once(relay, "message");
    relay.disconnect();
    expect(await once(relay, "exit")).toEqual([0, null]);
  });

  test("says every wrong setting in plain words and exits with 1", async () => {
    const relay = startMain({ RELAY_PORT: "port", RELAY_ZONE: "" });
    let said = "";
    relay.stderr?.on("data", (text: Buffer) => (said += text.toString()));
    expect(await once(relay, "close")).toEqual([1, null]);
    expect(said).toMatch(/cannot start/);
    expect(said).toMatch(/RELAY_PORT: .*\n\s+RELAY_ZONE: |RELAY_ZONE: .*\n\s+RELAY_PORT: /);
    expect(said).not.toContain("    at ");
  });

  test("says that its port is taken", async () => {
    const relay = startMain({ RELAY_PORT: new URL(edge.url).port });
    let said = "";
    relay.stderr?.on("data", (text: Buffer) => (said += text.toString()));
    expect(await once(relay, "close")).toEqual([1, null]);
    expect(said).toContain("EADDRINUSE");
  });
});
