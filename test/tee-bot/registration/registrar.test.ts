import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AppError } from "../../../shared/errors.ts";
import { registrationSchema, type Registration } from "../../../shared/registry/messages.ts";
import { Registrar, type RelayReport } from "../../../tee-bot/registration/registrar.ts";
import type { NodeId } from "../../../shared/registry/node-id.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { until } from "../../support/postern.ts";
import { recordingLog } from "../support/log.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { NodeEdge, zone, type Reply } from "../support/node-edge.ts";

let stack: AsyncDisposableStack;
let clock: ManualClock;
let edge: NodeEdge;
let directory: string;
let path: string;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  clock = new ManualClock();
  edge = stack.use(await NodeEdge.start(clock));
  directory = stack.use(temporaryFolder()).path;
  path = join(directory, "registration.json");
});
afterEach(() => stack.disposeAsync());

interface StartOptions {
  alias?: string;
  servedKey?: () => string | undefined;
  relays?: RelayReport;
}

interface Started {
  readonly registrar: Registrar;
  readonly told: Registration[];
  readonly log: ReturnType<typeof recordingLog>;
  /** How the run ended. */
  readonly ended: Promise<unknown>;
  readonly stop: () => void;
}

const quiet: RelayReport = {
  troubles: () => ({ unreachable: [], draining: [] }),
  reached: () => {},
  notReached: () => {},
};

function start({ alias, servedKey = () => undefined, relays = quiet }: StartOptions = {}): Started {
  const stop = new AbortController();
  const told: Registration[] = [];
  const log = recordingLog();
  const registrar = new Registrar({
    node: edge.identity.id,
    alias,
    version: "test",
    path,
    edge: edge.client,
    clock,
    log,
    random: () => 1,
    servedKey,
    onRegistration: (registration) => told.push(registration),
    relays,
  });
  const ended = registrar.run(stop.signal).then(
    () => "stopped",
    (error: unknown) => (error instanceof AppError ? error.code : error),
  );
  stack.defer(async () => {
    stop.abort();
    await ended;
  });
  return { registrar, told, log, ended, stop: () => stop.abort() };
}

const isLease = (ms: number): boolean => ms === 20_000;
const isBackoff = (ms: number): boolean => ms !== 1_500 && ms <= 10_000;
const patienceMs = 1_500;

describe("the registrar", () => {
  it("registers once and then renews the lease under the epoch it was given", async () => {
    edge.reply = () => ({ json: edge.registration({ epoch: 7 }) });
    const { registrar, told } = start();
    for (let round = 0; round < 3; round++) {
      await clock.untilSleeping(isLease);
      clock.advance(20_000);
      await edge.untilAsked("PUT", round + 1);
    }
    const node = edge.identity.id;
    expect(edge.asked.slice(0, 3)).toEqual([
      `POST /v1/nodes/${node}/registration`,
      `PUT /v1/nodes/${node}/lease`,
      `PUT /v1/nodes/${node}/lease`,
    ]);
    expect(edge.requests[0]?.body).toEqual({ version: "test" });
    expect(edge.requests[1]?.body).toEqual({ epoch: 7, unreachable: [], draining: [] });
    expect(registrar).toMatchObject({ fresh: true, problem: undefined, aliasProblem: undefined });
    expect(told[0]).toMatchObject({ epoch: 7 });
  });

  it.each(["lease-expired", "not-registered"] as const)("registers again when the edge says %s", async (problem) => {
    let epoch = 0;
    edge.reply = ({ method }) => (method === "PUT" ? { problem } : { json: edge.registration({ epoch: ++epoch }) });
    const { registrar } = start();
    await clock.untilSleeping(isLease);
    clock.advance(20_000);
    await edge.untilAsked("POST", 2);
    await until(() => registrar.current?.epoch === 2, 5_000, "the new epoch");
    expect(registrar.problem).toBeUndefined();
  });

  it("ends when another process has registered the key since", async () => {
    edge.reply = ({ method }) => (method === "PUT" ? { problem: "epoch-superseded" } : { json: edge.registration() });
    const { ended } = start();
    await clock.untilSleeping(isLease);
    clock.advance(20_000);
    expect(await ended).toBe("epoch-superseded");
  });

  it("asks at once when told to confirm, also when it was asking just then", async () => {
    edge.reply = () => ({ json: edge.registration() });
    const { registrar } = start();
    await clock.untilSleeping(isLease);
    registrar.confirm();
    await edge.untilAsked("PUT", 1);
    await clock.untilSleeping(isLease);
    edge.reply = () => {
      registrar.confirm(); // while the answer is on its way
      edge.reply = () => ({ problem: "epoch-superseded" });
      return { json: edge.registration() };
    };
    registrar.confirm();
    await edge.untilAsked("PUT", 3);
  });

  it("tells with each renewal which relays do not serve it, and tells the tunnels whether the edge has answered", async () => {
    const [lost, stopping] = ["a1", "b2"].map((id) => id.repeat(32) as NodeId);
    if (!lost || !stopping) throw new Error("two ids");
    const heard: string[] = [];
    const relays: RelayReport = {
      troubles: () => ({ unreachable: [lost], draining: [stopping] }),
      reached: () => heard.push("reached"),
      notReached: () => heard.push("not reached"),
    };
    edge.reply = () => ({ json: edge.registration() });
    const { registrar } = start({ relays });
    await clock.untilSleeping(isLease);
    edge.reply = () => "dropped connection";
    registrar.confirm();
    await clock.untilSleeping(isBackoff);
    expect(edge.requests[1]?.body).toEqual({ epoch: 1, unreachable: [lost], draining: [stopping] });
    expect(heard).toEqual(["reached", "not reached"]);
  });

  it("asks again soon when the edge names no relay, and never without a pause", async () => {
    edge.reply = () => ({ json: edge.registration({ relays: [] }) });
    start();
    expect(await clock.untilSleeping((ms) => ms === 500)).toBe(500);
    edge.reply = () => ({ json: edge.registration({ renewAfterMs: 0 }) });
    clock.advance(500);
    await edge.untilAsked("PUT", 1);
    expect(await clock.untilSleeping((ms) => ms !== patienceMs)).toBe(500);
  });

  const faults: [what: string, reply: Reply][] = [
    ["a dropped connection", "dropped connection"],
    ["text that is not JSON", { text: "<html>welcome to the hotel's network</html>" }],
    ["JSON of another form", { json: { hello: "world" } }],
    ["a status without a problem", { text: "", status: 503 }],
    ["an empty answer", { text: "" }],
    ["a problem that passes", { problem: "too-many-requests" }],
    ["a redirect", { text: "", status: 302 }],
  ];
  it.each(faults)("keeps trying, ever less often, after %s", async (_, fault) => {
    edge.reply = () => fault;
    const { registrar, told } = start();
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      const ms = await clock.untilSleeping(isBackoff);
      pauses.push(ms);
      clock.advance(ms);
      await edge.untilAsked("POST", attempt + 2);
    }
    expect(pauses).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
    expect(registrar.problem).toBeDefined();
    expect(told).toEqual([]);
    edge.reply = () => ({ json: edge.registration() });
    await clock.untilSleeping(isBackoff);
    clock.advance(10_000);
    await until(() => registrar.fresh, 5_000, "it is registered");
    expect(registrar.problem).toBeUndefined();
  });

  it("serves on when the disk does not take the registration", async () => {
    mkdirSync(path); // a folder where the file should be
    edge.reply = () => ({ json: edge.registration() });
    const { registrar, told, log } = start();
    await clock.untilSleeping(isLease);
    expect(told).toHaveLength(1);
    expect(registrar.problem).toBeUndefined();
    expect(log.events.map(({ event }) => event)).toContain("registration.unsaved");
  });
});

describe("the registrar, started while the edge is away,", () => {
  const store = (registration: unknown): void => writeFileSync(path, JSON.stringify(registration));

  it("uses at once what an earlier start was told, and registers when the edge is back", async () => {
    store(edge.registration({ epoch: 5 }));
    edge.reply = () => "dropped connection";
    const { registrar, told } = start();
    const ms = await clock.untilSleeping(isBackoff);
    expect(told).toMatchObject([{ epoch: 5 }]);
    expect(registrar.fresh).toBe(false);
    edge.reply = () => ({ json: edge.registration({ epoch: 6 }) });
    clock.advance(ms);
    await until(() => registrar.fresh, 5_000, "it is registered");
    expect(registrar.current?.epoch).toBe(6);
    expect(edge.asked.every((one) => one.startsWith("POST"))).toBe(true);
  });

  it("uses it after a moment's patience when the edge says nothing at all", async () => {
    store(edge.registration({ epoch: 5 }));
    edge.reply = () => "silence";
    const { told } = start();
    await edge.untilAsked("POST");
    clock.advance(patienceMs - 1);
    expect(told).toEqual([]);
    clock.advance(1);
    await until(() => told.length === 1, 1_000, "what was stored is used");
  });

  it("does not put what was stored in place of what the edge has said", async () => {
    store(edge.registration({ epoch: 5 }));
    edge.reply = () => ({ json: edge.registration({ epoch: 6 }) });
    const { told } = start();
    await clock.untilSleeping(isLease);
    clock.advance(patienceMs);
    expect(told.map(({ epoch }) => epoch)).toEqual([6]);
  });

  const useless: [what: string, content: () => string][] = [
    ["another node's", () => JSON.stringify({ ...edge.registration(), node: "ab".repeat(32) })],
    ["cut short", () => JSON.stringify(edge.registration()).slice(0, 40)],
    ["of another form", () => '{"version":2}'],
    ["empty", () => ""],
  ];
  it.each(useless)("does not use a file that is %s, and replaces it later", async (_, content) => {
    writeFileSync(path, content());
    edge.reply = () => "dropped connection";
    const { told } = start();
    const ms = await clock.untilSleeping(isBackoff);
    expect(told).toEqual([]);
    edge.reply = () => ({ json: edge.registration() });
    clock.advance(ms);
    await clock.untilSleeping(isLease);
    expect(registrationSchema.parse(JSON.parse(readFileSync(path, "utf8"))).node).toBe(edge.identity.id);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});

describe("the registrar's alias", () => {
  it("is claimed before anything is told, so that the first certificate has every name", async () => {
    edge.reply = ({ path: asked }) =>
      asked.startsWith("/v1/aliases")
        ? { json: { alias: "alice", hostname: `alice.${zone}`, node: edge.identity.id } }
        : { json: edge.registration() };
    const { told, registrar } = start({ alias: "alice" });
    await clock.untilSleeping(isLease);
    expect(told[0]?.hostnames[0]).toBe(`alice.${zone}`);
    expect(registrar.current?.hostnames).toEqual([`alice.${zone}`, ...edge.registration().hostnames]);
    expect(registrar.aliasProblem).toBeUndefined();
  });

  it("is not claimed again when the edge names it already", async () => {
    edge.reply = () => ({ json: edge.registration({ hostnames: [`alice.${zone}`] }) });
    const { registrar } = start({ alias: "alice" });
    await clock.untilSleeping(isLease);
    expect(edge.asked.filter((one) => one.includes("aliases"))).toEqual([]);
    expect(registrar.aliasProblem).toBeUndefined();
  });

  it("that is refused is reported, tried at each renewal, and stops nothing", async () => {
    edge.reply = ({ path: asked }) =>
      asked.startsWith("/v1/aliases") ? { problem: "name-taken" } : { json: edge.registration() };
    const { registrar, told } = start({ alias: "alice" });
    await clock.untilSleeping(isLease);
    expect(registrar.aliasProblem).toContain("name-taken");
    expect(registrar.problem).toBeUndefined();
    expect(told).toHaveLength(1);
    clock.advance(20_000);
    await edge.untilAsked("PUT /v1/aliases/alice", 2);
    edge.reply = ({ path: asked }) =>
      asked.startsWith("/v1/aliases")
        ? { json: { alias: "alice", hostname: `alice.${zone}`, node: edge.identity.id } }
        : { json: edge.registration() };
    await clock.untilSleeping(isLease);
    clock.advance(20_000);
    await until(() => registrar.aliasProblem === undefined, 5_000, "the alias is ours");
    expect(registrar.current?.hostnames[0]).toBe(`alice.${zone}`);
  });
});

describe("the registrar's release", () => {
  it("gives the name back under its own epoch", async () => {
    edge.reply = () => ({ json: edge.registration({ epoch: 4 }) });
    const { registrar, stop, ended } = start();
    await clock.untilSleeping(isLease);
    stop();
    expect(await ended).toBe("stopped");
    await registrar.release();
    expect(edge.asked.at(-1)).toBe(`DELETE /v1/nodes/${edge.identity.id}/registration?epoch=4`);
  });

  it("waits no longer than its deadline for an edge that is silent, and does not fail", async () => {
    edge.reply = ({ method }) => (method === "DELETE" ? "silence" : { json: edge.registration() });
    const { registrar, log } = start();
    await clock.untilSleeping(isLease);
    const startedAt = performance.now();
    await registrar.release();
    expect(performance.now() - startedAt).toBeLessThan(2_500);
    expect(log.events.at(-1)?.event).toBe("registration.kept");
  });

  it("is left out when the edge has not confirmed this start", async () => {
    writeFileSync(path, JSON.stringify(edge.registration()));
    edge.reply = () => "dropped connection";
    const { registrar } = start();
    await clock.untilSleeping(isBackoff);
    await registrar.release();
    expect(edge.asked.filter((one) => one.startsWith("DELETE"))).toEqual([]);
  });
});

describe("the key that visitors meet", () => {
  it("is told with the registration, and at once when it has changed", async () => {
    edge.reply = () => ({ json: edge.registration() });
    const served: { key?: string } = {};
    const { registrar } = start({ servedKey: () => served.key });
    await clock.untilSleeping(isLease);
    expect(edge.requests[0]?.body).toEqual({ version: "test" });
    registrar.checkKey();
    served.key = "ab".repeat(32);
    registrar.checkKey();
    await edge.untilAsked("PUT");
    expect(edge.requests.at(-1)?.body).toMatchObject({ epoch: 1, key: served.key });
    await clock.untilSleeping(isLease);
    registrar.checkKey();
    expect(edge.asked.filter((one) => one.startsWith("PUT"))).toHaveLength(1);
  });
});
