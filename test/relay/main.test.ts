import { fork, type ChildProcess, type ForkOptions } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../shared/clock.ts";
import { silentLog } from "../../shared/log.ts";
import { startTunnel } from "../../tee-bot/tunnel/tunnel.ts";
import { clientHelloOf } from "../support/client-hello.ts";
import { EdgeStandIn } from "../support/edge-stand-in.ts";
import { startRelayProcess } from "../support/relay-process.ts";
import { newIdentity, zone } from "../support/relay-world.ts";
import { readBytes, readEnd } from "../support/socket-events.ts";

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

const startMain = (environment: Record<string, string> = {}): ChildProcess =>
  fork("relay/main.ts", [], optionsOf(environment));

function optionsOf(environment: Record<string, string>): ForkOptions {
  return {
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
  };
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

  test.each(["pool", "tls", "http2"] as const)(
    "of several threads stops on SIGTERM, with a tunnel and visitors that stay (%s)",
    async (transport) => {
      const quick = { RELAY_DRAIN_QUIET_MS: "200", RELAY_DRAIN_MS: "1000" };
      await using relay = await startRelayProcess(edge, "relay", { ...quick, RELAY_WORKERS: "2" });
      const { endpoint, child } = relay;
      const identity = await newIdentity();
      const name = edge.register(identity.id, 1);
      await using _ = startTunnel({
        relay: endpoint,
        identity,
        transport,
        onVisitor: ({ socket }) => void socket.on("error", () => {}).write("welcome"),
        epoch: 1,
        version: "test",
        clock: systemClock,
        log: silentLog,
      });
      const hello = await clientHelloOf(name);
      const greeted = async (): Promise<Socket> => {
        const visitor = connect({ port: endpoint.port, host: "127.0.0.1" }).on("error", () => {});
        visitor.write(hello);
        expect((await readBytes(visitor, 7)).toString()).toBe("welcome");
        return visitor;
      };
      await vi.waitFor(greeted, 10_000);
      const visitors = await Promise.all(Array.from({ length: 20 }, greeted));
      const ends = visitors.map((visitor) => readEnd(visitor));
      const exited = once(child, "exit");
      const askedAt = performance.now();
      child.kill("SIGTERM");
      expect(await exited).toEqual([0, null]);
      expect(performance.now() - askedAt).toBeLessThan(5_000);
      for (const { how } of await Promise.all(ends)) expect(how).toBe("reset");
    },
    30_000,
  );

  test("ends when its launcher is gone", async () => {
    const relay = startMain();
    await once(relay, "message");
    relay.disconnect();
    expect(await once(relay, "exit")).toEqual([0, null]);
  });

  test("outlives more connections than it has file descriptors for", async () => {
    const relay = fork("-c", ['ulimit -n 60 && exec "$0" relay/main.ts', process.execPath], {
      ...optionsOf({ RELAY_MAX_CONNECTIONS: "1000" }),
      execPath: "/bin/sh",
      execArgv: [],
    });
    const [{ port }] = (await once(relay, "message")) as [{ port: number }];
    const sockets = Array.from({ length: 200 }, () => connect(port, "127.0.0.1").on("error", () => {}));
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    for (const socket of sockets) socket.destroy();

    const client = connect(port, "127.0.0.1");
    client.end(await clientHelloOf(`nobody.${zone}`));
    const [answer] = (await once(client, "data")) as [Buffer];
    expect(answer.at(-1)).toBe(112);
    relay.kill("SIGTERM");
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

  test("checks its settings, from a file too, without a start", async () => {
    const path = join(directory, "relay.env");
    writeFileSync(path, "RELAY_DRAIN_MS=45000\n");
    const relay = fork("relay/main.ts", ["--check-config", "--config", path], optionsOf({}));
    let said = "";
    relay.stdout?.on("data", (text: Buffer) => (said += text.toString()));
    expect(await once(relay, "close")).toEqual([0, null]);
    expect(JSON.parse(said)).toMatchObject({ zone, limits: { drainMs: 45_000 } });
    expect(edge.reports).toEqual([]);
  });

  test.each(["RELAY_PORT", "RELAY_PRIVATE_PORT"])("says that its port is taken and ends (%s)", async (variable) => {
    const relay = startMain({ [variable]: new URL(edge.url).port, RELAY_PRIVATE_HOST: "127.0.0.1" });
    let said = "";
    relay.stderr?.on("data", (text: Buffer) => (said += text.toString()));
    expect(await once(relay, "close")).toEqual([1, null]);
    expect(said).toContain("EADDRINUSE");
  });
});
