import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Command, Reading } from "../../../../tee-bot/bot/commands/command.ts";
import { parseCommand } from "../../../../tee-bot/bot/commands/parse-command.ts";

const command = (name: string, aliases: string[] = []): Command => ({
  name,
  aliases,
  usage: `!${name}`,
  summary: "",
  detail: "",
  run: () => Promise.resolve({ text: "" }),
});
const commands = [command("help"), command("verify"), command("clear", ["new"]), command("models"), command("model")];
const mark = "\uFFFC";

const read = (text: string, isMention = false): Reading => parseCommand(text, isMention, commands);
const nameOf = (reading: Reading): string | undefined =>
  reading.kind === "command" ? reading.command.name : undefined;
const sayOf = (reading: Reading): string => (reading.kind === "unknown" ? reading.say : `not unknown: ${reading.kind}`);

describe("a command", () => {
  it.each([
    ["!help", "help", ""],
    ["/help", "help", ""],
    ["!HELP", "help", ""],
    ["!help verify", "help", "verify"],
    ["!verify  my words,  both ", "verify", "my words,  both"],
    ["!verify\nline one\nline two", "verify", "line one\nline two"],
    ["!new", "clear", ""],
    ["!model 2", "model", "2"],
    ["!models", "models", ""],
  ])("is %j: %s with %j", (text, name, rest) => {
    expect(read(text)).toMatchObject({ kind: "command", command: { name }, rest });
  });

  it("is seen behind the marks of mentions, and behind the space of one that was taken out", () => {
    expect(nameOf(read(`${mark} !help`))).toBe("help");
    expect(nameOf(read(`${mark}${mark}\u00a0/help`, true))).toBe("help");
    expect(nameOf(read("  !help", true))).toBe("help");
  });

  it("is its exact name only: what has more letters is none, and goes to no model", () => {
    for (const text of ["!verifyfoo", "!help!", "!helpme", "/verifyfoo bar", "!modelx"])
      expect(read(text).kind, text).toBe("unknown");
  });
});

describe("what looks like a command and is none", () => {
  it.each([
    ["!hlep", "`!help`"],
    ["!clera", "`!clear`"],
    ["!vérify", "`!verify`"],
    ["!help!", "`!help`"],
    ["/modls", "`!models`"],
  ])("%s is answered with what was probably meant: %s", (text, meant) => {
    expect(sayOf(read(text))).toContain(`Did you mean ${meant}?`);
  });

  it("is answered with where to look when nothing is near", () => {
    expect(sayOf(read("!frobnicate"))).toContain("`!help` lists");
    expect(sayOf(read("!помощь"))).toContain("`!помощь`");
  });

  it("is repeated short and without what would break out of its mark-up, whatever it is made of", () => {
    const say = sayOf(read(`!a${"👩‍👩‍👧".repeat(500)}`));
    expect(say.length).toBeLessThan(250);
    expect(say.isWellFormed()).toBe(true);
    expect(sayOf(read("!a`**b**`"))).toContain("`!a'**b**'`");
  });
});

describe("text for the model", () => {
  it.each([
    ["good day", "good day"],
    [" !help", "!help"],
    ["\\!help", "!help"],
    ["\\/help", "/help"],
    ["!", "!"],
    ["!!!", "!!!"],
    ["!?", "!?"],
    ["! help", "! help"],
    ["/", "/"],
    ["/etc/hosts is what?", "/etc/hosts is what?"],
    ["//help", "//help"],
    ["¡hola!", "¡hola!"],
    ["what does !help do", "what does !help do"],
    ["\\n is a newline", "\\n is a newline"],
    ["", ""],
  ])("is %j: %j", (text, said) => {
    expect(read(text)).toEqual({ kind: "text", text: said });
  });

  it("comes without the marks of mentions before it", () => {
    expect(read(`${mark} good day`)).toEqual({ kind: "text", text: "good day" });
  });
});

it("every text has one reading, in linear time, and what is not addressed to a command comes through whole", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), fc.boolean(), (text, isMention) => {
      const reading = read(text, isMention);
      if (!/^[\s\uFFFC\\]*[!/]/u.test(text) && !isMention && !text.includes(mark))
        expect(reading).toEqual({ kind: "text", text });
      if (reading.kind === "command") expect(text.toLowerCase()).toMatch(/[!/](help|verify|clear|new|models?)(\s|$)/u);
    }),
  );
  const startedAt = performance.now();
  for (const unit of [mark, " ", "!", "\\", "/a", `${mark} `]) read(unit.repeat(60_000));
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

it("any known name, in any case and under either sign, is that command with what stands behind it", () => {
  const names = commands.flatMap(({ name, aliases }) => [name, ...aliases]);
  fc.assert(
    fc.property(
      fc.constantFrom(...names),
      fc.constantFrom("!", "/"),
      fc.infiniteStream(fc.boolean()),
      fc.string({ unit: "grapheme", maxLength: 30 }),
      (name, sign, cases, rest) => {
        const written = name
          .split("")
          .map((letter) => (cases.next().value ? letter.toUpperCase() : letter))
          .join("");
        const reading = read(`${sign}${written} ${rest}`);
        expect(reading).toMatchObject({ kind: "command", rest: rest.trim() });
        const found = nameOf(reading);
        expect(commands.find((one) => one.name === name || one.aliases.includes(name))?.name).toBe(found);
      },
    ),
  );
});
