import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../../shared/clock.ts";
import { silentLog } from "../../../../shared/log.ts";
import { openMailbox } from "../../../../tee-bot/bot/mail/open-mailbox.ts";
import { temporaryFolder } from "../../../shared/temporary-folder.ts";

const messages = 250;
const kills = 5;
const chats = 5;
const program = join(import.meta.dirname, "../support/mail-child.ts");

describe("a mailbox whose process is killed again and again", () => {
  it("has each reply sent once, in the order of its chat, or listed as undecidable", { timeout: 120_000 }, async () => {
    using folder = temporaryFolder();
    const storageKey = randomBytes(32);
    const args = [folder.path, storageKey.toString("hex"), String(messages), String(Date.now())];
    const sentFile = join(folder.path, "sent");
    const sent = (): string[] => (existsSync(sentFile) ? readFileSync(sentFile, "utf8").trim().split("\n") : []);
    let killed = 0;
    for (;;) {
      const child = fork(program, args, { stdio: "inherit" });
      const ended = once(child, "exit") as Promise<[number | null]>;
      if (killed < kills) {
        const before = sent().length;
        while (sent().length < before + (messages * 2) / (kills + 2) && child.exitCode === null) await sleep(5);
        await sleep(Math.random() * 20);
        child.kill("SIGKILL");
      }
      const [code] = await ended;
      if (code === 0) break;
      expect(code).toBeNull();
      killed++;
    }
    expect(killed).toBe(kills);

    const path = join(folder.path, "mail.sqlite");
    const options = { path, storageKey, clock: systemClock, log: silentLog, maxAgeMs: 3_600_000, maxAttempts: 5 };
    using box = openMailbox(options);
    const { undecidable, ...state } = box.state();
    expect(state).toEqual({ waiting: 0, inHand: 0, replies: 0, dead: 0, oldestAt: undefined });
    const lines = sent();
    expect(new Set(lines).size).toBe(lines.length);
    const wanted = Array.from({ length: messages }, (_, number) => [`${number} a`, `${number} b`]).flat();
    expect(wanted).toEqual(expect.arrayContaining(lines));
    expect(wanted.length - lines.length).toBeLessThanOrEqual(undecidable);
    expect(undecidable).toBeLessThanOrEqual(kills * 3);
    for (let chat = 0; chat < chats; chat++) {
      const ofChat = (line: string): boolean => Number.parseInt(line, 10) % chats === chat;
      const known = new Set(lines);
      expect(lines.filter(ofChat)).toEqual(wanted.filter((line) => ofChat(line) && known.has(line)));
    }
  });
});
