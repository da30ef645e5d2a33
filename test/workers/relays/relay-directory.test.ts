import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { freshIdentity } from "../support/identities.ts";
import { silentLog } from "../../../shared/log.ts";
import { readConfig } from "../../../workers/config.ts";
import type { Env } from "../../../workers/env.ts";
import { readRelays, takeHeartbeat } from "../../../workers/relays/relay-directory.ts";

const report = { host: "192.0.2.7", port: 443, name: "a", version: "1", visitors: 0, tunnels: 0, draining: false };

/** An edge of 20 relays, in an isolate of its own, and how often it asks for the status of one. */
async function edgeOf20() {
  const relays = await Promise.all(Array.from({ length: 20 }, async () => (await freshIdentity()).id));
  const read = readConfig({ ...env, RELAY_KEYS: relays.join() } as Env);
  if (!read.ok) throw new Error(read.problems.join());
  const state = { asked: 0, broken: false };
  const namespace = new Proxy(env.RELAYS, {
    get(target, name) {
      if (name === "get") state.asked++;
      if (state.broken) throw new Error("the status is away");
      const value = Reflect.get(target, name) as unknown;
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  const parts = { env: { ...env, RELAYS: namespace }, config: read.config, log: silentLog };
  const { id: node } = await freshIdentity();
  const chooser = { node, place: undefined, held: [], avoided: [], draining: [] };
  return { relays, state, parts, chooser };
}

test("renewals soon after another cost no call for the status of a relay", async () => {
  const { relays, state, parts, chooser } = await edgeOf20();
  const now = Date.now();
  for (const relay of relays) await takeHeartbeat(parts, { relay, report }, now);
  state.asked = 0;
  for (let n = 0; n < 10; n++) expect((await readRelays(parts, chooser, now + 100 * n)).relays).toHaveLength(2);
  expect(state.asked).toBe(0);
  await readRelays(parts, chooser, now + 2_500);
  expect(state.asked).toBe(20);
});

test("a status that cannot be read just now is what it was last", async () => {
  const { relays, state, parts, chooser } = await edgeOf20();
  const now = Date.now();
  const [relay] = relays;
  if (!relay) throw new Error("there are 20");
  await takeHeartbeat(parts, { relay, report }, now);
  state.broken = true;
  expect((await readRelays(parts, chooser, now + 10_000)).relays).toMatchObject([{ relay }]);
  expect((await readRelays(parts, chooser, now + 25_000)).relays).toEqual([]);
});
