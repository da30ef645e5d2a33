import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { formatAnswer } from "../../../../tee-bot/bot/format/format.ts";
import type { CommandAnswer } from "../../../../tee-bot/bot/commands/command.ts";
import { verifiesPerPerson, verifyWindowMs } from "../../../../tee-bot/bot/verify/verify-limits.ts";
import { postern } from "../../../cli/run.ts";
import { temporaryFolder } from "../../../shared/temporary-folder.ts";
import { ownNode } from "../../../../tee-bot/bot/verify/own-node.ts";
import { startProvenName } from "../../attestation/support/proven-name.ts";
import { attestedModel, inSimulator, plainModel, say, startVerifyWorld } from "./support/verify-world.ts";

const digits = "300354477692869396892869876765";
const world = await startVerifyWorld({ signal_identity: `05${"ab".repeat(32)}`, signal_safety_number: digits });
const folder = temporaryFolder();
const ca = join(folder.path, "ca.pem");
const root = join(folder.path, "root.pem");
writeFileSync(ca, world.attested.certificate.certificate);
writeFileSync(root, world.attested.pki.rootPem);

afterEach(() => {
  world.cloud.fault = undefined;
  world.attested.server.tamper = (document) => document;
});
afterAll(async () => {
  folder[Symbol.dispose]();
  await world[Symbol.asyncDispose]();
});

const proofOf = ({ attachment }: CommandAnswer): string =>
  Buffer.from(attachment?.content.reveal() ?? []).toString("utf8");

/** Runs the command that the answer tells, on the file that came with it. */
async function checkOffline(answer: CommandAnswer, change: (text: string) => string = (text) => text) {
  const command = /`postern (verify \S+) --simulator-root ROOT\.pem`/.exec(answer.text)?.[1] ?? "";
  const [verb = "", file = ""] = command.split(" ");
  expect(file).toBe(answer.attachment?.name);
  const path = join(folder.path, file);
  writeFileSync(path, change(proofOf(answer)));
  return postern(verb, path, "--simulator-root", root, "--cacert", ca);
}

/** As a person sees it. */
const linesOf = ({ text }: CommandAnswer): string[] =>
  formatAnswer(text, { maxUnits: 4_000, maxBytes: 65_536 })
    .map(({ plain }) => plain)
    .join("\n")
    .split("\n");

describe("!verify", { timeout: 60_000 }, () => {
  it("says the verdict first, in at most eight lines, loudly that a simulator proves nothing", async () => {
    const answer = await say(world.command({ model: attestedModel }), "what a lovely day");
    const lines = linesOf(answer);
    expect(lines.length).toBeLessThanOrEqual(8);
    expect(lines[0]).toMatch(/^SIMULATED – PROVES NOTHING\./);
    expect(answer.text).toMatch(
      /Bot: a simulator has signed for the connection to demo\.postern\.localhost, \d+ s ago/,
    );
    expect(answer.text).toMatch(/code `[0-9a-f]{8}…[0-9a-f]{8}`/);
    expect(answer.text).toContain("`zai-org/GLM-5.1-FP8` at near-ai: a simulator has signed");
    expect(answer.text).toContain("`30035 44776 92869 39689 28698 76765` as its first or its second half");
    expect(answer.text).toMatch(/nonce `[0-9a-f]{8}…[0-9a-f]{8}`, made of your words/);
    expect(JSON.stringify(world.log.events)).not.toContain("lovely");
  });

  it("attaches one proof file, which the command that it tells checks offline, words and model too", async () => {
    const answer = await say(world.command({ model: attestedModel }), "what a lovely day");
    expect(answer.attachment).toMatchObject({ contentType: "application/json" });
    const { code, stdout } = await checkOffline(answer);
    expect(stdout).toContain("SIMULATED");
    expect(stdout).toContain(`The question that it answers:
  words: what a lovely day
  PASS  The evidence answers these very words`);
    expect(stdout).toContain("SIMULATED  model: zai-org/GLM-5.1-FP8 at near-ai");
    expect(stdout).toContain("  PASS  The model runs in a TEE\n");
    expect(code).toBe(0);
  });

  it("has a proof that is refused with other words, another nonce, or the evidence of another model's key", async () => {
    const answer = await say(world.command({ model: attestedModel }), "what a lovely day");
    const words = await checkOffline(answer, (text) => text.replace("what a lovely day", "what a lousy day"));
    expect(words.code).toBe(1);
    expect(words.stdout).toContain("FAIL  The evidence answers these very words");
    const local = await say(world.command(), "what a lovely day", "bob");
    expect((await checkOffline(local)).code).toBe(0);
    expect((await checkOffline(local, (text) => text.replace("a lovely day", "a lousy day"))).code).toBe(1);
    const key = await checkOffline(answer, (text) => text.replaceAll(world.cloud.machine.key.address, "ab".repeat(20)));
    expect(key.code).toBe(1);
    expect(key.stdout).toContain("REFUSED  model: zai-org/GLM-5.1-FP8");
    const random = (JSON.parse(proofOf(answer)) as { question: { random: string } }).question.random;
    const nonce = await checkOffline(answer, (text) => text.replace(random, "00".repeat(32)));
    expect(nonce.code).toBe(1);
  });

  it("attaches a proof of the quote alone where the node has no name, which is checked offline too", async () => {
    await using name = await startProvenName();
    const node = ownNode({ tee: inSimulator, proof: name.proof, subject: () => undefined });
    const answer = await say(world.command({ node }), "no name today");
    expect(answer.text).toContain("Bot: a simulator has signed for its own quote, without a connection");
    expect(linesOf(answer).length).toBeLessThanOrEqual(8);
    const path = join(folder.path, "quote.json");
    const check = (text: string, ...flags: string[]) => {
      writeFileSync(path, text);
      return postern("verify", path, "--simulator-root", join(name.files.directory, "simulator", "root.pem"), ...flags);
    };
    const good = await check(proofOf(answer));
    expect(good.stdout).toMatch(/^SIMULATED {2}A quote as recorded in quote\.json/);
    expect(good.stdout).toContain("words: no name today\n  PASS  The evidence answers these very words");
    expect(good.code).toBe(0);
    expect((await check(proofOf(answer).replace("no name today", "no name ever"))).code).toBe(1);
    const json = JSON.parse((await check(proofOf(answer), "--json")).stdout) as object;
    expect(json).toMatchObject({ verdict: "simulated", recorded: true, question: { words: "no name today" } });
  });

  it("has a proof by which the safety number of a phone can be compared", async () => {
    const answer = await say(world.command());
    const path = join(folder.path, "compare.json");
    writeFileSync(path, proofOf(answer));
    const trusting = ["--simulator-root", root, "--cacert", ca];
    const compare = (number: string) => postern("verify", path, ...trusting, "--signal-identity", number);
    const good = await compare(`${digits}${"1".repeat(30)}`);
    expect(good.stdout).toContain("PASS  The Signal key of the node's bot is the one that you compare");
    expect(good.code).toBe(0);
    expect((await compare("1".repeat(60))).code).toBe(1);
  });

  it("asks with nonces that are not the words and are others each time", async () => {
    const [one, other] = [await say(world.command(), "same"), await say(world.command(), "same", "bob")];
    const nonceIn = (answer: CommandAnswer): string =>
      (JSON.parse(proofOf(answer)) as { connection: { nonce: string } }).connection.nonce;
    expect(nonceIn(one)).toMatch(/^[0-9a-f]{64}$/);
    expect(nonceIn(one)).not.toBe(nonceIn(other));
    const hostile = "ab".repeat(32); // hex of 32 bytes, as if it were a nonce
    expect(nonceIn(await say(world.command(), hostile, "eve"))).not.toBe(hostile);
  });

  it("refuses when the evidence of the model is bad, though the bot's own is good", async () => {
    world.cloud.fault = "other-address";
    const { text } = await say(world.command({ model: attestedModel }));
    expect(text).toMatch(/^\*\*REFUSED\.\*\*/);
    expect(text).toContain("The quote does not carry the signing address");
  });

  it("refuses when the evidence of the bot is bad", async () => {
    world.attested.server.tamper = (document) => ({ ...document, nonce: "00".repeat(32) });
    const answer = await say(world.command());
    expect(answer.text).toMatch(/^\*\*REFUSED\.\*\*/);
    expect(answer.text).not.toContain("Signal:");
    expect(linesOf(answer).length).toBeLessThanOrEqual(8);
  });

  it("does not take for good what it could not look at", async () => {
    world.cloud.fault = "down";
    const answer = await say(world.command({ model: attestedModel }));
    expect(answer.text).toMatch(/^\*\*COULD NOT CHECK\.\*\*/);
    expect(answer.text).not.toContain("secret-in-the-answer");
    const nowhere = { hostnames: ["demo.postern.localhost"], port: 1, roots: undefined };
    const unreached = await say(world.command({ node: { place: () => nowhere } }), "", "bob");
    expect(unreached.text).toMatch(/^\*\*COULD NOT CHECK\.\*\*/);
    expect(unreached.attachment).toBeUndefined();
  });

  it("says outside a TEE that nothing can be proved, and attaches nothing", async () => {
    const tee = { tee: "none", reason: "There is no guest agent here." } as const;
    const answer = await say(world.command({ node: { tee }, model: plainModel }));
    expect(answer.text).toContain("This bot runs outside a TEE: nothing can be proved.");
    expect(answer.text).toContain("There is no guest agent here.");
    expect(answer.attachment).toBeUndefined();
  });

  it("answers one person three times in ten minutes, and others all the same", async () => {
    let now = 1_000_000;
    const tee = { tee: "none", reason: "There is none." } as const;
    const clock = { now: () => now, sleep: () => Promise.resolve() };
    const command = world.command({ node: { tee }, clock });
    for (let time = 0; time < verifiesPerPerson; time++) expect((await say(command)).text).toContain("outside a TEE");
    expect((await say(command)).text).toBe("You may verify 3 times in 10 minutes. Try again in 10 min.");
    expect((await say(command, "", "bob")).text).toContain("outside a TEE");
    now += verifyWindowMs;
    expect((await say(command)).text).toContain("outside a TEE");
  });

  it("looks at one thing at a time", async () => {
    let [running, most] = [0, 0];
    const command = world.command({
      model: attestedModel,
      async examine() {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 20));
        running--;
        throw new Error("secret");
      },
    });
    const answers = await Promise.all(["a", "b", "c"].map((person) => say(command, "", person)));
    expect(most).toBe(1);
    for (const { text } of answers) expect(text).toContain("Its evidence could not be looked at.");
  });

  it("refuses words without end", async () => {
    expect((await say(world.command(), "x".repeat(501))).text).toContain("at most 500 characters");
  });
});
