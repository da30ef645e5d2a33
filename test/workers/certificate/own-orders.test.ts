import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { letPass } from "../support/controls.ts";
import { zone } from "../support/constants.ts";
import { anything, testNode, type TestNode } from "../support/edge.ts";
import { inPlace, restoreSurroundings } from "../support/surroundings.ts";
import type { AdmissionRequest, ChallengeRecord } from "../../../shared/acme/ports.ts";
import { AppError } from "../../../shared/errors.ts";
import { admissionSchema, presentedSchema } from "../../../shared/registry/messages.ts";
import { idHostname } from "../../../shared/registry/names.ts";
import { maxOwnOrders } from "../../../workers/certificate/own-orders.ts";

const directory = "https://ca.example.test/directory";
const value = "x".repeat(43);

let presented: [order: string, records: readonly ChallengeRecord[]][];
let withdrawn: string[];
let admitted: [request: AdmissionRequest, queue: boolean][];
let settled: [order: string, outcome: string][];

beforeEach(() => {
  [presented, withdrawn, admitted, settled] = [[], [], [], []];
  inPlace.presentChallenges = (_, order, records) => {
    presented.push([order, records]);
    return Promise.resolve({ state: "written" });
  };
  inPlace.deliver = (message) => {
    if (message.kind === "withdraw") withdrawn.push(message.order);
    return Promise.resolve();
  };
  inPlace.admissions = (from) => {
    if (from !== directory) return undefined;
    return {
      admit: (request, { queue }) => {
        admitted.push([request, queue]);
        return Promise.resolve({ admitted: false, place: 3, estimatedAt: 1, retryAfterMs: 5_000 });
      },
      settle: (order, outcome) => Promise.resolve(void settled.push([order, outcome])),
    };
  };
});
afterEach(restoreSurroundings);

type Registered = TestNode & { own: string };

async function registered(alias?: string): Promise<Registered> {
  const node = await testNode();
  await node.register();
  if (alias !== undefined) await node.claim(alias);
  return { ...node, own: idHostname(node.id, zone) };
}

const challenge = (node: TestNode, order: string, hostname: string) =>
  node.client.request("PUT", `/v1/nodes/${node.id}/challenges/${order}`, presentedSchema, {
    body: { records: [{ hostname, value }] },
  });
const admission = (node: TestNode, order: string, change: object = {}) =>
  node.client.request("PUT", `/v1/nodes/${node.id}/admissions/${order}`, admissionSchema, {
    body: { directory, hostnames: [idHostname(node.id, zone)], exempt: false, queue: true, ...change },
  });
const settle = (node: TestNode, order: string) =>
  node.client.request(
    "DELETE",
    `/v1/nodes/${node.id}/admissions/${order}?directory=${encodeURIComponent(directory)}&outcome=issued`,
    anything,
  );

describe("a node with an account of its own", () => {
  test("has TXT records written and taken away, apart from those of the edge's orders", async () => {
    const node = await registered();
    expect(await challenge(node, "first.1", node.own)).toEqual({ state: "written" });
    expect(presented).toEqual([["own:first.1", [{ hostname: node.own, value }]]]);
    await node.client.request("DELETE", `/v1/nodes/${node.id}/challenges/first.1`, anything);
    expect(withdrawn).toEqual(["own:first.1"]);
  });

  test("is told of its place in the queue, and says how its order has ended", async () => {
    const node = await registered();
    expect(await admission(node, "first")).toEqual({ admitted: false, place: 3, estimatedAt: 1, retryAfterMs: 5_000 });
    const request = { order: `${node.id}:first`, node: node.id, hostnames: [node.own], exempt: false };
    expect(admitted).toEqual([[request, true]]);
    await settle(node, "first");
    expect(settled).toEqual([[`${node.id}:first`, "issued"]]);
  });

  test("is exempt from the budget for the renewal of what was issued to it, and for nothing else", async () => {
    const node = await registered("renewing");
    const exempt = async (order: string, change: object = {}) => {
      await admission(node, order, { exempt: true, ...change });
      return admitted.at(-1)?.[0].exempt;
    };
    expect(await exempt("first")).toBe(false);
    await settle(node, "first");
    expect(await exempt("second")).toBe(true);
    expect(await exempt("third", { hostnames: [`renewing.${zone}`, node.own] })).toBe(false);
  });

  test("is told that the zone's object cannot be reached", async () => {
    const node = await registered();
    inPlace.presentChallenges = () => Promise.reject(new AppError("upstream-unavailable", "It cannot be reached."));
    await expect(challenge(node, "first", node.own)).rejects.toMatchObject({ code: "upstream-unavailable" });
  });

  test("has a few orders under way at a time", async () => {
    const node = await registered();
    for (let n = 0; n < maxOwnOrders; n++) await challenge(node, `order-${n}`, node.own);
    await expect(challenge(node, "one-more", node.own)).rejects.toMatchObject({ code: "too-many-requests" });
    await challenge(node, "order-0", node.own); // the same again
    await settle(node, "order-0");
    await admission(node, "one-more");
    letPass(8 * 86_400_000); // those that were never ended are forgotten
    await node.renew(1);
    await challenge(node, "later", node.own);
  });

  test("loses the records that stand at an alias it gives back, and no others", async () => {
    const node = await registered("short");
    await challenge(node, "at-alias", `short.${zone}`);
    await challenge(node, "at-own", node.own);
    await node.client.request("DELETE", "/v1/aliases/short", anything);
    expect(withdrawn).toEqual(["own:at-alias"]);
    await expect(challenge(node, "at-alias", `short.${zone}`)).rejects.toMatchObject({ code: "forbidden" });
  });

  test("loses all of them when it leaves", async () => {
    const node = await registered();
    await challenge(node, "one", node.own);
    await challenge(node, "two", node.own);
    await node.client.request("DELETE", `/v1/nodes/${node.id}`, anything);
    expect(withdrawn.toSorted()).toEqual(["own:one", "own:two"]);
  });
});

describe("what such a node may ask for", () => {
  test("is records for names of its own only", async () => {
    const [node, other] = [await registered(), await registered()];
    for (const hostname of [other.own, zone, `_acme-challenge.${node.own}`, `x.${node.own}`, "example.org"])
      await expect(challenge(node, "mine", hostname)).rejects.toMatchObject({
        code: "forbidden",
        detail: expect.stringContaining("is not a name of this node"),
      });
    await expect(admission(node, "mine", { hostnames: [other.own] })).rejects.toMatchObject({ code: "forbidden" });
    expect(presented).toEqual([]);
    expect(admitted).toEqual([]);
  });

  test("is the budget of directories in the settings only", async () => {
    const node = await registered();
    const request = admission(node, "mine", { directory: "https://other.example.test/directory" });
    await expect(request).rejects.toMatchObject({ code: "forbidden" });
  });

  test("is values that a challenge can have, under a harmless name", async () => {
    const node = await registered();
    const spoilt = node.client.request("PUT", `/v1/nodes/${node.id}/challenges/x`, anything, {
      body: { records: [{ hostname: node.own, value: 'v="1"' }] },
    });
    await expect(spoilt).rejects.toMatchObject({ code: "bad-request" });
    await expect(challenge(node, "a%20b", node.own)).rejects.toMatchObject({ code: "bad-request" });
    await expect(challenge(node, "a".repeat(81), node.own)).rejects.toMatchObject({ code: "bad-request" });
  });

  test("is nothing while its lease has run out, but to clear away", async () => {
    const node = await registered();
    await challenge(node, "mine", node.own);
    letPass(3_600_000);
    await expect(challenge(node, "mine", node.own)).rejects.toMatchObject({ code: "lease-expired" });
    await expect(admission(node, "mine")).rejects.toMatchObject({ code: "lease-expired" });
    await node.client.request("DELETE", `/v1/nodes/${node.id}/challenges/mine`, anything);
    expect(withdrawn).toEqual(["own:mine"]);
  });

  test("is nothing for another node", async () => {
    const [node, other] = [await registered(), await registered()];
    const path = `/v1/nodes/${other.id}/challenges/mine`;
    const body = { records: [{ hostname: other.own, value }] };
    await expect(node.client.request("PUT", path, anything, { body })).rejects.toMatchObject({ code: "forbidden" });
  });
});
