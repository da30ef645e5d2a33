import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { Tally } from "../../../relay/operations/tally.ts";

test("a tally tells the registry what it has counted, however often it is asked", async () => {
  const registry = new Registry();
  const tally = new Tally({ name: "ends_total", help: "x", registers: [registry] }, "ended");
  const lines = async () => (await registry.metrics()).split("\n").filter((line) => line.startsWith("ends_total"));
  expect(await lines()).toEqual([]);
  tally.add("idle");
  tally.add("finished");
  tally.add("idle");
  const first = await lines();
  expect(first).toEqual(['ends_total{ended="idle"} 2', 'ends_total{ended="finished"} 1']);
  expect(await lines()).toEqual(first);
  tally.add("finished");
  expect(await lines()).toEqual(['ends_total{ended="idle"} 2', 'ends_total{ended="finished"} 2']);
});
