import { fork, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { buildWorker } from "../../scripts/build-worker.ts";
import { systemClock } from "../../shared/clock.ts";
import { readOrCreateIdentity } from "../../shared/nodejs/identity-file.ts";
import { EdgeClient } from "../../shared/registry/edge-client.ts";
import { aliasSchema, registrationSchema, routeSchema } from "../../shared/registry/messages.ts";

const dir = mkdtempSync(join(tmpdir(), "postern-edge-"));
const program = join(import.meta.dirname, "..", "..", "scripts", "edge-process.ts");
const started: ChildProcess[] = [];
let settings: NodeJS.ProcessEnv;

beforeAll(async () => {
  settings = {
    ...process.env,
    EDGE_PORT: "0",
    EDGE_STATE: join(dir, "state"),
    EDGE_BUNDLE: await buildWorker({ outDir: join(dir, "bundle") }),
    EDGE_VARS: JSON.stringify({ ZONE: "postern.localhost" }),
    EDGE_CA_DIR: join(dir, "ca"),
    LOG_LEVEL: "error",
  };
});
afterAll(() => {
  for (const child of started) child.kill("SIGKILL");
  rmSync(dir, { recursive: true });
});

async function startEdge(
  change: NodeJS.ProcessEnv = {},
): Promise<{ child: ChildProcess; port: number; workerd: number }> {
  const child = fork(program, { env: { ...settings, ...change }, stdio: ["ignore", "inherit", "inherit", "ipc"] });
  started.push(child);
  const [message] = (await once(child, "message")) as [{ ready: boolean; port: number }];
  expect(message).toEqual({ ready: true, port: expect.any(Number) });
  const [workerd] = childrenOf(child.pid ?? 0);
  if (workerd === undefined) throw new Error("no workerd");
  return { child, port: message.port, workerd };
}

/** From /proc; a process that has ended and was not waited for does not count. */
function statusOf(pid: number): { state: string; parent: number } | undefined {
  try {
    const [, state = "", parent] = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "x ")
      .split(" ");
    return state === "Z" ? undefined : { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

const childrenOf = (pid: number): number[] =>
  readdirSync("/proc")
    .map(Number)
    .filter((each) => statusOf(each)?.parent === pid);

async function untilGone(pid: number): Promise<void> {
  for (let waits = 0; statusOf(pid) && waits < 200; waits++) await systemClock.sleep(20);
  expect(statusOf(pid), `process ${pid}`).toBeUndefined();
}

async function clientAt(port: number) {
  const { id, signingKey } = await readOrCreateIdentity(join(dir, "node.key"), Date.now());
  const client = new EdgeClient({
    edge: `http://127.0.0.1:${port}`,
    signer: { id, role: "postern-node", privateKey: signingKey },
    clock: systemClock,
    fetch,
  });
  return {
    register: () =>
      client.request("POST", `/v1/nodes/${id}/registration`, registrationSchema, { body: { version: "test" } }),
    claim: (alias: string) => client.request("PUT", `/v1/aliases/${alias}`, aliasSchema),
  };
}

// Who has ended is read from /proc.
describe.runIf(process.platform === "linux")("the edge process", () => {
  test("keeps epochs and names when it is killed in the middle, and takes workerd with it", async () => {
    const first = await startEdge();
    const before = await clientAt(first.port);
    expect(await before.register()).toMatchObject({ epoch: 1 });
    await before.claim("kept");
    first.child.kill("SIGKILL");
    await untilGone(first.workerd);

    const second = await startEdge();
    const after = await (await clientAt(second.port)).register();
    expect(after.epoch).toBe(2);
    expect(after.hostnames[0]).toBe("kept.postern.localhost");
    second.child.kill("SIGKILL");
    await untilGone(second.workerd);
  });

  test("does not end a lease that ran out while it was away before the node had time to renew it", async () => {
    const relay = await readOrCreateIdentity(join(dir, "relay.key"), Date.now());
    const vars = { ZONE: "postern.localhost", LEASE_MS: "1000", RELAY_KEYS: relay.id };
    const lease = { EDGE_VARS: JSON.stringify(vars) };
    const first = await startEdge(lease);
    const { hostnames, epoch } = await (await clientAt(first.port)).register();
    const lookUp = (port: number) => {
      const signer = { id: relay.id, role: "postern-relay", privateKey: relay.signingKey } as const;
      const client = new EdgeClient({ edge: `http://127.0.0.1:${port}`, signer, clock: systemClock, fetch });
      return client.request("GET", `/v1/routes/${hostnames.at(-1)}`, routeSchema);
    };
    expect(await lookUp(first.port)).toMatchObject({ epoch });
    first.child.kill("SIGKILL");
    await untilGone(first.workerd);
    await systemClock.sleep(5_000);

    const { port, child } = await startEdge(lease);
    const backAt = Date.now();
    while (Date.now() - backAt < 12_000) {
      expect(await lookUp(port)).toMatchObject({ epoch });
      await systemClock.sleep(500);
    }
    await vi.waitFor(() => expect(lookUp(port)).rejects.toMatchObject({ code: "not-found" }), {
      timeout: 20_000,
      interval: 200,
    });
    child.kill("SIGKILL");
  }, 60_000);

  test("takes workerd with it on a system without setpriv", async () => {
    const bin = mkdtempSync(join(dir, "bin-"));
    for (const tool of ["sh", "sleep"]) symlinkSync(`/bin/${tool}`, join(bin, tool));
    const edge = await startEdge({ PATH: bin });
    edge.child.kill("SIGKILL");
    await untilGone(edge.workerd);
  });

  test("stops when it is told to", async () => {
    const { child, workerd } = await startEdge();
    child.kill("SIGTERM");
    await once(child, "exit");
    await untilGone(workerd);
  });

  test("stops when its launcher is killed", async () => {
    const launcher = spawn(
      process.execPath,
      ["-e", `require("child_process").fork(${JSON.stringify(program)}).once("message", () => console.log("ready"))`],
      { env: settings, stdio: ["ignore", "pipe", "inherit"] },
    );
    started.push(launcher);
    await once(launcher.stdout, "data");
    const [edge = 0] = childrenOf(launcher.pid ?? 0);
    const [workerd = 0] = childrenOf(edge);
    expect(workerd).toBeGreaterThan(0);
    launcher.kill("SIGKILL");
    await untilGone(edge);
    await untilGone(workerd);
  });

  test("says which port is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const child = fork(program, {
      env: { ...settings, EDGE_PORT: String(port) },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    started.push(child);
    let text = "";
    child.stderr?.on("data", (chunk) => (text += String(chunk)));
    const [code] = (await once(child, "close")) as [number];
    other.close();
    expect(code).toBe(1);
    expect(text).toContain(String(port));
  });

  test("names the settings it lacks", async () => {
    const { EDGE_VARS: _, ...incomplete } = settings;
    const child = fork(program, { env: incomplete, stdio: ["ignore", "pipe", "pipe", "ipc"] });
    started.push(child);
    let text = "";
    child.stderr?.on("data", (chunk) => (text += String(chunk)));
    const [code] = (await once(child, "close")) as [number];
    expect(code).toBe(1);
    expect(text).toContain("EDGE_VARS");
  });
});
