import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allowedModels, decideChoice, decideCurrent } from "../../../../tee-bot/bot/commands/choose-model.ts";
import type { OfferedModel } from "../../../../tee-bot/bot/model/model.ts";
import { claimed, cloud, local, verified } from "./support/world.ts";

const all = [local, cloud, verified, claimed];
const idOf = (written: string, models: readonly OfferedModel[] = all): string | undefined => {
  const choice = decideChoice(written, models);
  return choice.kind === "model" ? choice.model.id : undefined;
};
const nearOf = (written: string): string | undefined => {
  const choice = decideChoice(written, all);
  return choice.kind === "none" ? choice.near : "a model";
};

describe("the models that the privacy rule allows", () => {
  it.each([
    ["any", all],
    ["local-or-attested", [local, verified, claimed]],
    ["local-or-verified", [local, verified]],
    ["local", [local]],
  ] as const)("under %s", (rule, expected) => {
    expect(allowedModels(all, rule)).toEqual(expected);
  });
});

describe("the model that answers", () => {
  it("is the chosen one by any of its names, also while it is away", () => {
    expect(decideCurrent("LLAMA", all)).toEqual({ id: local.id, offered: local });
    expect(decideCurrent("gone", all)).toEqual({ id: "gone", offered: undefined });
  });

  it("is no toy where none is chosen, unless there is nothing else", () => {
    const toy = { ...local, id: "toy", isDemo: true };
    expect(decideCurrent(undefined, [toy, cloud])?.id).toBe(cloud.id);
    expect(decideCurrent(undefined, [toy])?.id).toBe("toy");
    expect(decideCurrent(undefined, [])).toBeUndefined();
  });
});

describe("the model that is meant", () => {
  it("is known by its number, from 1 on", () => {
    expect(["0", "1", "4", "5", "-1", "1.5"].map((written) => idOf(written))).toEqual([
      undefined,
      local.id,
      claimed.id,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("is known by its name, another name, or a part that only it has", () => {
    expect(idOf("GPT-Large")).toBe(cloud.id);
    expect(idOf("llama")).toBe(local.id);
    expect(idOf("deepseek")).toBe(verified.id);
    expect(idOf("e")).toBeUndefined();
    expect(idOf("arge", [cloud, { ...cloud, id: "claude-large" }])).toBeUndefined();
  });

  it("by its whole name is that one, although another's name begins with it", () => {
    const longer = { ...cloud, id: "gpt-large-2" };
    expect(idOf("gpt-large", [longer, cloud])).toBe("gpt-large");
  });

  it("is guessed from a slip, and never taken for it", () => {
    expect(nearOf("gpt-lrage")).toBe("gpt-large");
    expect(nearOf("frobnicate")).toBeUndefined();
  });

  it("is one of those there are, or none, whatever is written", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (written) => {
        const choice = decideChoice(written, all);
        expect(choice.kind === "none" || all.includes(choice.model)).toBe(true);
      }),
    );
  });
});
