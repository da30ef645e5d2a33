/** Webhooks for a node that is away, killed, or without its edge: the real edge, the real node, a local service behind it. */
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHookService, type HookService } from "../support/hook-service.ts";
import { isAlive, startPostern, until, type Postern } from "../support/postern.ts";

describe("webhooks for a node", () => {
  let state: string;
  let service: HookService;
  let postern: Postern;

  beforeAll(async () => {
    service = await startHookService();
    state = mkdtempSync(join(tmpdir(), "postern-inbox-"));
    mkdirSync(join(state, "node"), { mode: 0o700 });
    writeFileSync(join(state, "node", "postern.yaml"), `inbox:\n  hooks:\n    test:\n      forward: ${service.url}\n`);
    postern = await startPostern({ state });
    await sendUntilTaken("first"); // not before the node has declared its hook
    await until(() => service.taken.length > 0, 20_000, "it has come");
  });
  afterAll(async () => {
    await (postern as Postern | undefined)?.[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
    rmSync(state, { recursive: true, force: true });
  });

  const send = (id: string, body: string): Promise<Response> =>
    fetch(`${postern.run.edge}/v1/inbox/${postern.run.node.id}/test`, {
      method: "POST",
      headers: { "content-type": "text/plain", "webhook-id": id },
      body,
      signal: AbortSignal.timeout(5_000),
    });

  /** As senders of webhooks do: again until it was taken, and the next one afterwards. */
  async function sendUntilTaken(id: string): Promise<void> {
    await until(async () => (await send(id, `body of ${id}`).catch(() => undefined))?.status === 202, 30_000, id);
  }
  const idsOf = (prefix: string) => Array.from({ length: 100 }, (_, index) => `${prefix}-${index}`);
  /** One of an earlier test may come again: its node may have been killed before it told. */
  const takenOf = (prefix: string) => service.taken.filter(({ id }) => id.startsWith(`${prefix}-`));
  const takenIds = (prefix: string) => takenOf(prefix).map(({ id }) => id);
  const killNode = () => process.kill(postern.pids().node, "SIGKILL");

  it("that come while it is away are handled once each, in their order, when it is back", async () => {
    const node = postern.pids().node;
    process.kill(node, "SIGSTOP");
    const ids = idsOf("away");
    for (const id of ids) await sendUntilTaken(id);
    expect(takenOf("away")).toEqual([]);
    process.kill(node, "SIGKILL");
    await until(() => !isAlive(node), 2_000, "it is gone");
    await until(() => takenOf("away").length >= ids.length, 60_000, "all have come");
    await new Promise((resolve) => setTimeout(resolve, 1_500)); // whether one comes twice
    expect(takenOf("away")).toEqual(ids.map((id) => ({ id, body: `body of ${id}` })));
  });

  it("come twice at most, under the same id, when it is killed between handling and telling", async () => {
    service.onHook = ({ id }) => {
      if (id !== "killed-50") return;
      service.onHook = () => {};
      killNode();
    };
    const ids = idsOf("killed");
    for (const id of ids) await sendUntilTaken(id);
    await until(() => takenIds("killed").includes("killed-99"), 60_000, "the last has come");
    await new Promise((resolve) => setTimeout(resolve, 1_500));

    const times = Map.groupBy(takenIds("killed"), (id) => id);
    expect([...times.keys()]).toEqual(ids); // first sightings are in order
    expect(times.get("killed-50")).toHaveLength(2);
    expect([...times.values()].filter((seen) => seen.length > 2)).toEqual([]);
    const again = takenIds("killed").slice(takenIds("killed").indexOf("killed-50") + 1);
    expect(again).toEqual(ids.slice(ids.indexOf(again[0] ?? ""))); // from where it went on, in order as well
  });

  it("are not lost when the edge is killed: what it said it keeps comes, once and in order", async () => {
    const ids = idsOf("edge");
    for (const [index, id] of ids.entries()) {
      if (index === 30 || index === 60) process.kill(postern.pids().edge, "SIGKILL");
      await sendUntilTaken(id);
    }
    await until(() => takenIds("edge").includes("edge-99"), 60_000, "the last has come");
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(takenIds("edge")).toEqual(ids);
  });

  it("stand nowhere in what edge and node have stored, nor in any log", async () => {
    process.kill(postern.pids().node, "SIGSTOP");
    expect((await send("canary-id", "canary-in-the-body")).status).toBe(202);
    const files = globSync(join(state, "**/*")).filter((path) => statSync(path).isFile());
    const stored = files.map((path) => readFileSync(path, "latin1"));
    process.kill(postern.pids().node, "SIGCONT");
    expect(stored.some((text) => text.includes("canary-id"))).toBe(true); // this is where it is, and it is looked at
    expect(stored.filter((text) => text.includes("canary-in-the-body"))).toEqual([]);
    await until(() => takenIds("canary").includes("canary-id"), 30_000, "it has come");
    expect(postern.stderr()).not.toContain("canary-in-the-body");
  });
});
