import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NodeView } from "../../../shared/registry/messages.ts";
import { EdgeView } from "../../../tee-bot/registration/edge-view.ts";
import { until } from "../../support/postern.ts";
import { recordingLog } from "../support/log.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { NodeEdge, type Reply } from "../support/node-edge.ts";

const settleMs = 1_000;
const usualMs = 5 * 60_000;
const secondLookMs = 60_000;
const trouble = { detail: "The token has no rights.", remedy: "Give it some." };

let stack: AsyncDisposableStack;
let clock: ManualClock;
let edge: NodeEdge;
let log: ReturnType<typeof recordingLog>;
let changes: number;
let view: EdgeView;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  clock = new ManualClock();
  edge = stack.use(await NodeEdge.start(clock));
  log = recordingLog();
  changes = 0;
  view = new EdgeView({
    node: edge.identity.id,
    edge: edge.client,
    clock,
    log,
    random: () => 0.5,
    onChange: () => changes++,
  });
  const stop = new AbortController();
  const ended = view.run(stop.signal);
  stack.defer(async () => {
    stop.abort();
    await ended;
  });
});
afterEach(() => stack.disposeAsync());

function viewOf(told: Partial<NodeView> = {}): Reply {
  const json: NodeView = {
    node: edge.identity.id,
    epoch: 1,
    state: "up",
    hostnames: [],
    expiresAt: 1,
    certificates: [],
    dns: { state: "written", records: 0, words: "" },
    accounts: [],
    paths: [],
    troubles: [],
    ...told,
  };
  return { json };
}
async function look(): Promise<void> {
  const before = edge.requests.length;
  view.check();
  await clock.untilSleeping((ms) => ms === settleMs);
  clock.advance(settleMs);
  await edge.untilAsked("GET", before + 1);
  await clock.untilSleeping((ms) => ms === secondLookMs);
}

describe("the edge's view of the node", () => {
  it("is asked a second after a change, however many there were, a minute later, and every five minutes", async () => {
    edge.reply = () => viewOf();
    await clock.untilSleeping((ms) => ms === usualMs);
    for (let change = 0; change < 5; change++) view.check();
    for (const [nth, restMs] of [secondLookMs, usualMs, usualMs].entries()) {
      await clock.untilSleeping((ms) => ms === settleMs);
      clock.advance(settleMs);
      await edge.untilAsked(`GET /v1/nodes/${edge.identity.id}`, nth + 1);
      await clock.untilSleeping((ms) => ms === restMs);
      clock.advance(restMs);
    }
    expect(edge.requests).toHaveLength(3);
  });

  it("tells troubles once for as long as they last, and what it said last while the edge is away", async () => {
    edge.reply = () => viewOf({ troubles: [trouble] });
    await look();
    await look();
    expect(view.troubles).toEqual([trouble]);
    expect(changes).toBe(1);
    expect(log.events.filter(({ event }) => event === "trouble.told")).toHaveLength(1);
    edge.reply = () => "dropped connection";
    await look();
    expect(view.troubles).toEqual([trouble]);
    edge.reply = () => viewOf();
    await look();
    await until(() => view.troubles.length === 0, 1_000, "the trouble is over");
    expect(changes).toBe(2);
  });

  it("has the accounts that CAA records let in, and tells when they are others", async () => {
    expect(view.accounts).toEqual([]);
    edge.reply = () => viewOf({ accounts: ["https://ca.test/acct/1"] });
    await look();
    await until(() => changes === 1, 1_000, "it was told");
    expect(view.accounts).toEqual(["https://ca.test/acct/1"]);
  });

  it("has the plan of the certificate that is served, not that of a rehearsal or another", async () => {
    const plan = (at: number) => ({ at, source: "lifetime" as const });
    const one: NodeView["certificates"][number] = {
      id: "o",
      status: "valid",
      hostnames: [],
      notAfter: 1_000,
      createdAt: 0,
      purpose: "serve",
    };
    edge.reply = () =>
      viewOf({
        certificates: [
          { ...one, renewal: plan(1), purpose: "rehearsal" },
          { ...one, renewal: plan(2), notAfter: 2_000 },
          { ...one, renewal: plan(3) },
        ],
      });
    expect(view.planOf(1_000)).toBeUndefined();
    await look();
    expect(view.planOf(1_000)).toEqual(plan(3));
    expect(view.planOf(2_000)).toEqual(plan(2));
    expect(view.planOf(3_000)).toBeUndefined();
  });

  it.each<Reply>([{ problem: "not-found" }, { json: {} }, { text: "<html>" }])(
    "is unknown to an edge that answers with %j, and nothing fails",
    async (reply) => {
      edge.reply = () => reply;
      await look();
      expect(view.troubles).toEqual([]);
      expect(log.events.at(-1)?.event).toBe("view.kept");
    },
  );
});
