import { fork, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readOrCreateIdentity } from "../../shared/nodejs/identity-file.ts";
import { buildWorker } from "../../scripts/build-worker.ts";
import { readOrCreateLocalCa } from "../../scripts/local-ca.ts";
import { freePort, root, stopProcess, until } from "../support/postern.ts";

const zone = "postern.localhost";
const name = `twice.${zone}`;

interface NodeStatus {
  relays: { name: string; up: boolean }[];
  health: { status: string; steps: { step: string; detail: string }[] };
}

describe("a node with two relays", () => {
  const children: ChildProcess[] = [];
  let directory: string;
  let ca: string;
  let relays: { port: number; child: ChildProcess }[];
  let status: NodeStatus | undefined;

  /** Starts a process of the stack; resolves once it says that it is ready. */
  function start(script: string, args: string[], env: Record<string, string>): Promise<ChildProcess> {
    const child = fork(join(root, script), args, {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      env: { ...process.env, ...env, LOG_LEVEL: "error" },
    });
    children.push(child);
    return new Promise((resolve, reject) => {
      child.on("message", (message: { ready?: boolean; status?: NodeStatus }) => {
        if (message.status) status = message.status;
        if (message.ready || message.status) resolve(child);
      });
      child.once("exit", (code) => reject(new Error(`${script} ended with exit code ${code}`)));
    });
  }

  async function startRelay(label: string, edge: string): Promise<{ port: number; child: ChildProcess }> {
    const port = await freePort();
    const child = await start("relay/main.ts", [], {
      RELAY_EDGE_URL: edge,
      RELAY_ZONE: zone,
      RELAY_NAME: `relay-${label}.${zone}`,
      RELAY_LISTEN_HOST: "127.0.0.1",
      RELAY_PUBLIC_HOST: "127.0.0.1",
      RELAY_PORT: String(port),
      RELAY_PRIVATE_PORT: "0",
      RELAY_IDENTITY_FILE: join(directory, `relay-${label}.pem`),
    });
    return { port, child };
  }

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "postern-two-relays-"));
    const keys = await Promise.all(
      ["a", "b"].map((label) => readOrCreateIdentity(join(directory, `relay-${label}.pem`), Date.now())),
    );
    ca = (await readOrCreateLocalCa(join(directory, "ca"), zone)).certificatePem;
    const edgePort = await freePort();
    const edge = `http://127.0.0.1:${edgePort}`;
    await start("scripts/edge-process.ts", [], {
      EDGE_PORT: String(edgePort),
      EDGE_STATE: join(directory, "edge"),
      EDGE_BUNDLE: await buildWorker({ outDir: join(root, "node_modules", ".cache", "postern", "edge") }),
      EDGE_VARS: JSON.stringify({ ZONE: zone, RELAY_KEYS: keys.map(({ id }) => id).join(",") }),
      EDGE_CA_DIR: join(directory, "ca"),
    });
    relays = await Promise.all(["a", "b"].map((label) => startRelay(label, edge)));
    const flags = ["--edge", edge, "--alias", "twice", "--state", join(directory, "node")];
    await start("tee-bot/cli/main.ts", ["start", ...flags, "--gateway-port", "0", "--control-port", "0"], {});
    await until(() => status?.health.status === "healthy", 20_000, "the name answers through both relays");
  });

  afterAll(async () => {
    for (const child of children.toReversed()) await stopProcess(child, "SIGTERM");
    rmSync(directory, { recursive: true, force: true });
  });

  function ask(port: number): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const options = {
        host: "127.0.0.1",
        port,
        servername: name,
        headers: { host: name },
        ca,
        agent: false,
        path: "/healthz",
      };
      get(options, (response) => (response.resume(), resolve(response.statusCode))).once("error", reject);
    });
  }

  it("answers through either", async () => {
    expect(status?.relays).toEqual([
      { name: expect.stringMatching(/^relay-[ab]\./) as string, up: true, transport: "pool" },
      { name: expect.stringMatching(/^relay-[ab]\./) as string, up: true, transport: "pool" },
    ]);
    for (const { port } of relays) expect(await ask(port)).toBe(200);
  });

  it("goes on through the other when one is killed, and says that one is missing", async () => {
    const [first, second] = relays;
    if (!first || !second) throw new Error("two relays were started");
    await stopProcess(first.child, "SIGKILL");
    expect(await ask(second.port)).toBe(200);
    await expect(ask(first.port)).rejects.toThrow("ECONNREFUSED");
    await until(() => status?.health.status === "degraded", 5_000, "the node notices");
    expect(status?.health.steps.find(({ step }) => step === "tunnels")?.detail).toBe("1 of 2 relays are connected.");
  });
});
