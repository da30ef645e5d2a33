import { describe, expect, it } from "vitest";
import { describePrivacy, type PrivacyFacts } from "../../../../tee-bot/bot/commands/privacy-text.ts";
import { inGroup } from "../support/message.ts";
import { cloud, commandsWorld, local, verified } from "./support/world.ts";

const facts: PrivacyFacts = {
  tee: "dstack",
  history: { mode: "durable", messages: 50, hours: 24 },
  place: "file",
  mailHours: 24,
  rule: "any",
  transcribes: false,
  groupAnswer: "addressed",
};
const alone = { isGroup: false, model: { id: local.id, offered: local } };
const textOf = (more: Partial<PrivacyFacts>, chat = alone): string => describePrivacy({ ...facts, ...more }, chat);

describe("!privacy", () => {
  it("says how much is kept, how long, and where", () => {
    expect(textOf({})).toContain("The last 50 messages of a chat, for 24 hours at most, encrypted in a file");
    const other = textOf({ history: { mode: "durable", messages: 1, hours: 168 }, place: "redis", mailHours: 0.5 });
    expect(other).toContain("The last 1 message of a chat, for 7 days at most, encrypted in a Redis store");
    expect(other).toContain("for 30 minutes at most");
    expect(other).toContain("Whoever runs the Redis store sees sizes and times");
  });

  it("tells durable from ephemeral, and that mail that waits is always durable", () => {
    const ephemeral = textOf({ history: { ...facts.history, mode: "ephemeral" } });
    expect(ephemeral).toContain("in memory only");
    for (const text of [textOf({}), ephemeral]) {
      expect(text).toContain("wiped when it is answered");
      expect(text).toContain("outlives a restart, so that no message is lost");
    }
  });

  it("claims a TEE only in one, and no protection outside of one or in a simulated one", () => {
    expect(textOf({})).toContain("its operator cannot read");
    for (const tee of ["none", "simulated"] as const) {
      const text = textOf({ tee });
      expect(text).not.toContain("cannot read");
      expect(text).not.toContain("only the TEE can make");
      expect(text).toMatch(/can read (what you write|everything here)/);
    }
  });

  it("says who answers, and by which rule", () => {
    expect(textOf({})).toContain("`llama3.2:3b`, here, on my own machine.");
    const inCloud = textOf({}, { isGroup: false, model: { id: cloud.id, offered: cloud } });
    expect(inCloud).toContain("`gpt-large`, in a cloud, whose operator can read along.");
    const strict = textOf(
      { rule: "local-or-verified" },
      { isGroup: false, model: { id: verified.id, offered: verified } },
    );
    expect(strict).toContain("which I have verified ✓.");
    expect(strict).toContain("Only models on my own machine, or in a TEE that I have verified, may answer here.");
    expect(textOf({ transcribes: true })).toContain("Voice messages are made text");
  });

  it("says what still shows, and of groups only in groups", () => {
    expect(textOf({})).toContain("when and how much is written");
    expect(textOf({})).not.toContain("In groups.");
    const inside = { ...alone, isGroup: true };
    expect(textOf({}, inside)).toContain("not addressed to me I drop without keeping it");
    expect(textOf({ groupAnswer: "all" }, inside)).toContain("I answer to everything");
  });

  it("speaks of the settings that are in force, also while no model can be asked", async () => {
    using world = commandsWorld({ history: { messages: 9, mode: "ephemeral" }, receive: { maxAgeHours: 2 } });
    const { text } = await world.say("!privacy", inGroup);
    expect(text).toContain("The last 9 messages");
    expect(text).toContain("in memory only");
    expect(text).toContain("for 2 hours at most");
    expect(text).toContain("In groups.");
    world.offered = undefined;
    expect((await world.say("!privacy")).text).toContain("not known just now");
  });
});
