import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { PassTable } from "../../../relay/tunnel/pass-table.ts";

/** Redeems the passes it is given, from the one and the other end, and says which were good. */
const redeemer = `
  const { parentPort, workerData } = require("node:worker_threads");
  import(workerData.module).then(({ PassTable }) => {
    const table = new PassTable(workerData.memory, workerData.thread);
    parentPort.postMessage("ready");
    parentPort.once("message", (passes) => {
      const order = workerData.thread % 2 ? passes.keys() : [...passes.keys()].reverse();
      Atomics.add(workerData.gate, 0, 1);
      while (Atomics.load(workerData.gate, 0) < workerData.threads); // all begin at once
      const good = [];
      for (const at of order) if (table.redeem(passes[at]) === 7) good.push(at);
      parentPort.postMessage(good);
    });
  });
`;

describe("the table of passes", () => {
  test("leads a pass to its tunnel once", () => {
    const table = new PassTable();
    const [first, second] = table.issue(1, 2);
    const [third] = table.issue(2, 1);
    if (!first || !second || !third) throw new Error("no passes");
    expect([third, first, second].map(({ bytes }) => table.redeem(bytes))).toEqual([2, 1, 1]);
    expect([third, first, second].map(({ bytes }) => table.redeem(bytes))).toEqual([undefined, undefined, undefined]);
  });

  test("gives passes of 16 bytes that cannot be guessed from another", () => {
    const passes = new PassTable().issue(1, 1_000).map(({ bytes }) => Buffer.from(bytes));
    expect(passes.every(({ length }) => length === 16)).toBe(true);
    expect(new Set(passes.map((pass) => pass.toString("hex", 4))).size).toBe(1_000);
  });

  test("knows nobody who has a slot right and any bit of the secret wrong, or a slot that does not exist", () => {
    const table = new PassTable();
    const [pass] = table.issue(1, 1);
    for (let bit = 0; bit < 128; bit++) {
      const wrong = Uint8Array.from(pass?.bytes ?? []);
      wrong[bit >> 3] = (wrong[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(table.redeem(wrong)).toBeUndefined();
    }
    expect([table.redeem(new Uint8Array(16)), table.redeem(new Uint8Array(16).fill(255))]).toEqual([
      undefined,
      undefined,
    ]);
    expect(pass && table.redeem(pass.bytes)).toBe(1);
  });

  test("takes back what still stands, and what was redeemed not", () => {
    const table = new PassTable();
    const [used, left] = table.issue(1, 2);
    if (!used || !left) throw new Error("no passes");
    table.redeem(used.bytes);
    expect([table.stands(used), table.stands(left)]).toEqual([false, true]);
    expect([table.void(used), table.void(left), table.void(left)]).toEqual([false, true, false]);
    expect(table.redeem(left.bytes)).toBeUndefined();
  });

  test("gives a slot again, and the pass of before is void for good", () => {
    const table = new PassTable();
    const before = table.issue(1, 65_536);
    expect(table.issue(2, 1)).toEqual([]); // it is full
    for (const { bytes } of before) table.redeem(bytes);
    const after = table.issue(2, 65_536);
    expect(after).toHaveLength(65_536);
    expect(before.some((pass) => table.stands(pass) || table.void(pass))).toBe(false);
    expect(before.map(({ bytes }) => table.redeem(bytes)).filter((tunnel) => tunnel !== undefined)).toEqual([]);
    expect(after.every((pass) => table.stands(pass))).toBe(true);
  });

  test("numbers tunnels so that no two threads have the same, and forgets what a thread before it gave", () => {
    const memory = PassTable.memory(2);
    const [first, second] = [new PassTable(memory, 0), new PassTable(memory, 1)];
    expect([first.newTunnel(), second.newTunnel(), first.newTunnel()]).toEqual([0, 1, 2]);
    const [ofFirst, ofSecond] = [first.issue(0, 1)[0]?.bytes, second.issue(1, 1)[0]?.bytes];
    const successor = new PassTable(memory, 0);
    expect([ofFirst, ofSecond].map((pass) => pass && successor.redeem(pass))).toEqual([undefined, 1]);
  });

  test("lets each pass be redeemed once by threads that all try at the same time", async () => {
    const threads = 4;
    const memory = PassTable.memory(threads + 1);
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const module = new URL("../../../relay/tunnel/pass-table.ts", import.meta.url).href;
    const workers = Array.from({ length: threads }, (_, thread) => {
      return new Worker(redeemer, { eval: true, execArgv: [], workerData: { memory, gate, threads, thread, module } });
    });
    await Promise.all(workers.map((worker) => once(worker, "message")));
    const passes = new PassTable(memory, threads).issue(7, 20_000).map(({ bytes }) => bytes);
    const answers = workers.map((worker) => once(worker, "message") as Promise<[number[]]>);
    for (const worker of workers) worker.postMessage(passes);
    const good = (await Promise.all(answers)).map(([redeemed]) => redeemed);
    await Promise.all(workers.map((worker) => worker.terminate()));
    expect(good.flat().toSorted((a, b) => a - b)).toEqual([...passes.keys()]);
    expect(good.filter((redeemed) => redeemed.length > 0).length).toBeGreaterThan(1); // they did race
  });
});
