import { expect, it } from "vitest";
import { TurnByName } from "../../../tee-bot/store/turn-by-name.ts";

it("work of one name is done in order, that of others meanwhile, and a failure stops nobody", async () => {
  const turns = new TurnByName();
  const done: string[] = [];
  const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
  const first = turns.run("a", async () => {
    await gate;
    done.push("a1");
    throw new Error("a1 failed");
  });
  const second = turns.run("a", () => Promise.resolve(done.push("a2")));
  await turns.run("b", () => Promise.resolve(done.push("b1")));
  openGate();
  await expect(first).rejects.toThrow("a1 failed");
  await second;
  expect(done).toEqual(["b1", "a1", "a2"]);
});

it("no more than a limit wait for one name, and others are let in again afterwards", async () => {
  const turns = new TurnByName();
  const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
  const waiting = Array.from({ length: 256 }, () => turns.run("a", () => gate));
  await expect(turns.run("a", () => gate)).rejects.toThrow("Too much is waiting");
  openGate();
  await Promise.all(waiting);
  await turns.run("a", () => gate);
});
