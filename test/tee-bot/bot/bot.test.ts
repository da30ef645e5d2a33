import { afterEach, describe, expect, it } from "vitest";
import { BotWorld, type BotWorldOptions } from "./support/bot-world.ts";

describe("the bot", () => {
  let world: BotWorld;
  const start = async (options: BotWorldOptions = {}): Promise<BotWorld> => (world = await BotWorld.start(options));
  afterEach(() => world[Symbol.asyncDispose]());

  it("welcomes a person, and answers by the model with a quote of the question", async () => {
    await start();
    world.simulator.phone().write({ text: "good day" });
    await world.soon(() => world.answers().length === 1);
    const { messages } = world.simulator.conversation();
    expect(messages.map(({ from }) => from)).toEqual(["you", "bot", "bot"]);
    expect(messages[1]?.text).toMatch(/^Hello! I pass what you write to a private AI model/);
    expect(messages[2]?.text).toBe("echo: good day");
    expect(messages[2]?.quote).toMatchObject({ timestamp: messages[0]?.timestamp, author: "you", text: "good day" });
    expect(messages[0]?.read).toBe(true);
    expect(world.simulator.typingSpans().length).toBeGreaterThan(0);
    expect(world.simulator.conversation().typing).toBe(false);
  });
});
