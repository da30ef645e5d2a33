import { beforeAll, describe, expect, test } from "vitest";
import { EdgeLookup } from "../../../relay/edge/lookup.ts";
import type { Clock } from "../../../shared/clock.ts";
import { systemClock } from "../../../shared/clock.ts";
import { silentLog } from "../../../shared/log.ts";
import type { Identity } from "../../../shared/nodejs/identity-file.ts";
import { problemOf } from "../../../shared/problem.ts";
import { EdgeClient } from "../../../shared/registry/edge-client.ts";
import { newIdentity } from "../../support/relay-world.ts";

const json = (value: unknown, status = 200): Response => Response.json(value, { status });
const missing = (): Response => json(problemOf("not-found", "No such name."), 404);

let identity: Identity;
beforeAll(async () => {
  identity = await newIdentity();
});

/** `answer` is the edge; it sees the name that is asked for. */
function lookupWith(answer: (name: string) => Response | Promise<Response>) {
  let skippedMs = 0;
  const asked: string[] = [];
  const clock: Clock = { ...systemClock, now: () => Date.now() + skippedMs };
  const fetch = async (url: string | URL | Request): Promise<Response> => {
    const name = new URL(new Request(url).url).pathname.split("/").at(-1) ?? "";
    asked.push(name);
    return answer(name);
  };
  const signer = { id: identity.id, role: "postern-relay", privateKey: identity.signingKey } as const;
  const edge = new EdgeClient({ edge: "http://edge.test", signer, clock, fetch });
  const lookup = new EdgeLookup({ edge, onAnswer: () => {}, clock, log: silentLog });
  return { lookup, asked, skip: (ms: number) => (skippedMs += ms) };
}

describe("lookup", () => {
  test("answers the route that the edge tells", async () => {
    const { lookup } = lookupWith((name) => json({ name, node: identity.id, epoch: 3 }));
    expect(await lookup.find("a.zone")).toEqual({
      kind: "route",
      route: { name: "a.zone", node: identity.id, epoch: 3 },
    });
  });

  test("asks once for a name, however many ask at the same time", async () => {
    const { lookup, asked } = lookupWith(missing);
    await Promise.all([lookup.find("a.zone"), lookup.find("a.zone"), lookup.ask("a.zone"), lookup.find("b.zone")]);
    expect(asked.toSorted()).toEqual(["a.zone", "b.zone"]);
  });

  test("remembers for three seconds that there is no such name, unless asked in any case", async () => {
    const { lookup, asked, skip } = lookupWith(missing);
    expect(await lookup.find("a.zone")).toEqual({ kind: "unknown" });
    skip(2_900);
    await lookup.find("a.zone");
    expect(asked).toHaveLength(1);
    await lookup.ask("a.zone");
    expect(asked).toHaveLength(2);
    skip(3_100);
    await lookup.find("a.zone");
    expect(asked).toHaveLength(3);
  });

  test("forgets a miss when told to", async () => {
    const { lookup, asked } = lookupWith(missing);
    await lookup.find("a.zone");
    lookup.forgetMiss("a.zone");
    await lookup.find("a.zone");
    expect(asked).toHaveLength(2);
  });

  test("asks no more than 64 names at a time for visitors, and still asks for nodes", async () => {
    let answer: () => void = () => {};
    const open = new Promise<void>((resolve) => (answer = resolve));
    const { lookup, asked } = lookupWith(async () => {
      await open;
      return missing();
    });
    const first = Array.from({ length: 64 }, (_, at) => lookup.find(`${at}.zone`));
    expect(await lookup.find("one-more.zone")).toEqual({ kind: "unavailable" });
    const ofNode = lookup.ask("node.zone");
    answer();
    expect(await ofNode).toEqual({ kind: "unknown" });
    await Promise.all(first);
    expect(asked).toHaveLength(65);
    expect(await lookup.find("one-more.zone")).toEqual({ kind: "unknown" });
  });

  test.each<[string, () => Response]>([
    ["fails", () => json(problemOf("internal", "No."), 500)],
    ["answers for another name", () => json({ name: "b.zone", node: identity.id, epoch: 1 })],
    ["answers in another form", () => json({ owner: "somebody" })],
    [
      "cannot be reached",
      () => {
        throw new TypeError("fetch failed");
      },
    ],
  ])("does not take it for an answer when the edge %s, and asks again", async (_, answer) => {
    const { lookup, asked } = lookupWith(answer);
    expect(await lookup.find("a.zone")).toEqual({ kind: "unavailable" });
    await lookup.find("a.zone");
    expect(asked).toHaveLength(2);
  });
});
