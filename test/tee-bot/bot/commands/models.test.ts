import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ModelError } from "../../../../tee-bot/bot/model/model-error.ts";
import { bob } from "../support/events.ts";
import { inGroup } from "../support/message.ts";
import { cloud, commandsWorld, local, verified, type CommandsWorld } from "./support/world.ts";

let world: CommandsWorld;
beforeEach(() => (world = commandsWorld()));
afterEach(() => world[Symbol.dispose]());

const textOf = async (...said: Parameters<CommandsWorld["say"]>): Promise<string> => (await world.say(...said)).text;

describe("!models", () => {
  it("numbers those there are, marks the one that answers, and says who can read along", async () => {
    expect(await textOf("!models")).toBe(
      [
        "1. `llama3.2:3b`: here, on my own machine **← answers here**",
        "2. `gpt-large`: in a cloud, whose operator can read along",
        "3. `deepseek-ai/DeepSeek-V3.1`: in a TEE, which I have verified ✓, sees pictures",
        "4. `qwen/Qwen3-30B`: in a TEE, says its provider; not verified",
        "",
        "Choose one with `!model 2`.",
      ].join("\n"),
    );
  });

  it("leaves out what the privacy rule forbids, and says so", async () => {
    using strict = commandsWorld({ privacy: "local-or-verified" });
    const { text } = await strict.say("!models");
    expect(text).toContain("1. `llama3.2:3b`");
    expect(text).toContain("2. `deepseek-ai/DeepSeek-V3.1`");
    expect(text).toContain("2 other models may not be asked");
    expect(text).not.toContain("gpt-large");
  });

  it("calls a simulated TEE what it is", async () => {
    world.offered = [{ ...verified, attestation: "simulated" }];
    expect(await textOf("!models")).toContain("a simulated TEE, which protects nothing");
  });

  it("is readable with hundreds of models", async () => {
    world.offered = Array.from({ length: 300 }, (_, n) => ({ ...cloud, id: `model-${n}` }));
    const text = await textOf("!models");
    expect(text.split("\n").filter((line) => /^\d+\. /.test(line))).toHaveLength(60);
    expect(text).toContain("240 more are not listed");
    expect(await textOf("!model model-299")).toContain("`model-299`");
  });

  it("fails as the model does when the gateway is away, so that the person is told its sentence", async () => {
    world.offered = undefined;
    await expect(world.say("!models")).rejects.toBeInstanceOf(ModelError);
  });
});

describe("!model", () => {
  it("chooses for this chat, by number or name, and says who can read along", async () => {
    expect(await textOf("!model 3")).toContain("`deepseek-ai/DeepSeek-V3.1` answers here. It runs in a TEE, which I");
    expect(await textOf("!models")).toMatch(/DeepSeek.* \*\*← answers here\*\*/);
    expect(await textOf("!models", { person: bob })).toMatch(/llama.* \*\*← answers here\*\*/);
    expect(await textOf("!models", inGroup)).toMatch(/llama.* \*\*← answers here\*\*/);
  });

  it("in a group chooses for all of it", async () => {
    await textOf("!model 2", inGroup);
    expect(await textOf("!model", { ...inGroup, person: bob })).toContain("`gpt-large` answers here");
  });

  it("warns that what was said goes along to somebody else's machine", async () => {
    expect(await textOf("!model gpt-large")).toContain("What was said here before goes to it");
    expect(await textOf("!model llama")).not.toContain("What was said");
  });

  it("without a number says which one answers", async () => {
    expect(await textOf("!model")).toBe(
      "`llama3.2:3b` answers here. It runs here, on my own machine. `!models` lists all.",
    );
    await textOf("!model gpt-large");
    world.offered = [local];
    expect(await textOf("!model")).toContain("`gpt-large` answers here. It is not there now.");
    world.offered = [];
    expect(await textOf("!model", { person: bob })).toContain("No model can answer just now");
  });

  it("takes none that is not there, and says what was probably meant", async () => {
    expect(await textOf("!model gtp-large")).toContain("Did you mean `!model gpt-large`?");
    expect(await textOf("!model 5")).toContain("There are 4 models here");
    expect(await textOf("!model")).toContain("`llama3.2:3b` answers here");
  });

  it("takes none that the privacy rule forbids", async () => {
    using strict = commandsWorld({ privacy: "local" });
    expect((await strict.say("!model gpt-large")).text).toContain("I know no such model");
    expect((await strict.say("!model 2")).text).toContain("There is 1 model here");
  });
});
