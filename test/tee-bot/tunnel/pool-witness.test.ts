import { describe, expect, test } from "vitest";
import { PoolWitness } from "../../../tee-bot/tunnel/pool-witness.ts";

async function verdict(witness: PoolWitness): Promise<string | undefined> {
  return Promise.race([witness.unfit, new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 5))]);
}

const alive = (): Promise<boolean> => Promise.resolve(true);

describe("the witness of a pool", () => {
  test("tells after eight failures in a row, with the last reason", async () => {
    const witness = new PoolWitness(alive);
    for (let at = 0; at < 7; at++) witness.saw("failed", "cut");
    expect(await verdict(witness)).toBeUndefined();
    witness.saw("failed", "refused");
    expect(await verdict(witness)).toBe("8 connections in a row failed: refused");
  });

  test("forgets failures when a visitor comes", async () => {
    const witness = new PoolWitness(alive);
    for (let at = 0; at < 20; at++) witness.saw(at % 5 === 4 ? "worked" : "failed", "cut");
    witness.missed(3);
    witness.saw("worked", "");
    witness.missed(3);
    expect(await verdict(witness)).toBeUndefined();
  });

  test("tells when the relay misses connections", async () => {
    const witness = new PoolWitness(alive);
    witness.missed(3);
    witness.missed(29);
    expect(await verdict(witness)).toBe("32 connections did not reach the relay.");
  });

  test("holds back when it is the relay that has gone", async () => {
    const witness = new PoolWitness(() => Promise.resolve(false));
    for (let at = 0; at < 20; at++) witness.saw("failed", "cut");
    expect(await verdict(witness)).toBeUndefined();
  });
});
