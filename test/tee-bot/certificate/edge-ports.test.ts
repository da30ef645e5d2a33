import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../shared/clock.ts";
import { EdgeAdmissions, EdgeRecords } from "../../../tee-bot/certificate/edge-ports.ts";
import { NodeEdge } from "../support/node-edge.ts";

const directory = "https://ca.test/dir?a=b";
const records = [{ hostname: "a.test", value: "x".repeat(43) }];

let edge: NodeEdge;
let node: string;
let admissions: EdgeAdmissions;
let txt: EdgeRecords;
beforeEach(async () => {
  edge = await NodeEdge.start(systemClock);
  node = edge.identity.id;
  const parts = { node: edge.identity.id, edge: edge.client };
  admissions = new EdgeAdmissions({ ...parts, directory });
  txt = new EdgeRecords(parts);
});
afterEach(() => edge[Symbol.asyncDispose]());

describe("TXT records over the edge", () => {
  it("are put under the order, and taken away with it", async () => {
    edge.reply = () => ({ json: { state: "written" } });
    expect(await txt.present("o/1", records)).toEqual({ state: "written" });
    edge.reply = () => ({ json: null });
    await txt.withdraw("o/1");
    expect(edge.asked).toEqual([`PUT /v1/nodes/${node}/challenges/o%2F1`, `DELETE /v1/nodes/${node}/challenges/o%2F1`]);
    expect(edge.requests[0]?.body).toEqual({ records });
  });

  it("that are pending tell why, and when to look again", async () => {
    const pending = { state: "pending", retryAfterMs: 7, trouble: { detail: "No.", remedy: "Ask." } };
    edge.reply = () => ({ json: pending });
    expect(await txt.present("o", records)).toEqual(pending);
    edge.reply = () => ({ json: { state: "pending", retryAfterMs: 7 } });
    expect(await txt.present("o", records)).toEqual({ state: "pending", retryAfterMs: 7 });
  });

  it("that the edge refuses, or does not hear of, are a trouble rather than an error", async () => {
    for (const reply of ["dropped connection", { problem: "forbidden" }, { text: "<html>" }] as const) {
      edge.reply = () => reply;
      expect(await txt.present("o", records)).toMatchObject({
        state: "pending",
        trouble: { remedy: expect.any(String) as string },
      });
    }
  });
});

describe("room in the limits of a CA", () => {
  const request = { order: "o", node: "n", hostnames: ["a.test"], exempt: false };

  it("is asked of the edge, with the place in the queue", async () => {
    const waiting = { admitted: false, place: 12, estimatedAt: 5, retryAfterMs: 9 };
    edge.reply = () => ({ json: waiting });
    expect(await admissions.admit(request, { queue: true })).toEqual(waiting);
    expect(edge.requests[0]?.body).toEqual({ directory, hostnames: ["a.test"], exempt: false, queue: true });
  });

  it("is not assumed while the edge is away, but for a renewal that the CA exempts", async () => {
    edge.reply = () => "dropped connection";
    await expect(admissions.admit(request, { queue: true })).rejects.toThrow("upstream-unavailable");
    expect(await admissions.admit({ ...request, exempt: true }, { queue: true })).toEqual({ admitted: true });
    edge.reply = () => ({ problem: "forbidden" });
    await expect(admissions.admit({ ...request, exempt: true }, { queue: true })).rejects.toThrow("forbidden");
  });

  it("is given back at the end, with the directory it was at", async () => {
    edge.reply = () => ({ json: null });
    await admissions.settle("o", "failed");
    const query = `directory=${encodeURIComponent(directory)}&outcome=failed`;
    expect(edge.asked).toEqual([`DELETE /v1/nodes/${node}/admissions/o?${query}`]);
  });
});
