import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { formatMessage } from "../../tee-bot/cli/chat-view.ts";
import { startSignalSimulator, type SignalSimulator } from "../../tee-bot/bot/simulator/simulator.ts";
import { root } from "../support/postern.ts";
import { postern } from "./run.ts";

const number = "+15550000001";

describe("postern signal chat, with lines piped in", () => {
  let simulator: SignalSimulator;
  beforeEach(async () => {
    simulator = await startSignalSimulator();
  });
  afterEach(() => simulator[Symbol.asyncDispose]());

  /** A bot of one line: repeats what it is told in capitals. */
  async function echo(count: number): Promise<void> {
    for (let answered = 0; answered < count;) {
      const own = simulator.conversation().messages.filter(({ from }) => from === "you");
      for (const { text } of own.slice(answered)) {
        await say(`**${text.toUpperCase()}**`);
        answered++;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async function say(message: string): Promise<void> {
    const recipients = [simulator.person("you").uuid];
    await fetch(`${simulator.url}/v2/send`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ number, recipients, message, text_mode: "styled" }),
    });
  }

  function chat(input: string, ...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const main = join(root, "tee-bot/cli/main.ts");
    const child = spawn(process.execPath, [main, "signal", "chat", "--url", simulator.url, ...args]);
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.stdin.end(input);
    return new Promise((resolve) => child.once("close", (code) => resolve({ code, stdout, stderr })));
  }

  it("sends each when the one before is answered, and prints the answers", async () => {
    const [{ code, stdout }] = await Promise.all([chat("one\n\ntwo\n"), echo(2)]);
    expect(code).toBe(0);
    expect(stdout).toBe("bot\n  ONE\nbot\n  TWO\n");
    expect(simulator.conversation().messages.map(({ text }) => text)).toEqual(["one", "ONE", "two", "TWO"]);
  });

  it("fails when no answer comes", async () => {
    const { code, stderr } = await chat("hello\n", "--wait", "3");
    expect(code).toBe(1);
    expect(stderr).toContain("has not answered for 3 s");
  });

  it("says what to do without a simulator", async () => {
    const { code, stderr } = await postern("signal", "chat", "--url", "http://127.0.0.1:1");
    expect(code).toBe(1);
    expect(stderr).toContain("No simulator answers at http://127.0.0.1:1");
  });
});

describe("a message in a terminal", () => {
  const message = { from: "bot", timestamp: 1, text: "", styles: [], edited: false, deleted: false, attachments: [] };
  const addressOf = ({ id }: { id: string }): string => `http://x/${id}`;

  it("has its styles where there is colour, and cannot command the terminal", () => {
    const shown = { ...message, text: "a bold\u001b[2J\nline", styles: ["2:12:BOLD"] };
    expect(formatMessage(shown, { color: false, addressOf })).toBe("bot\n  a bold\\u{1b}[2J\n  line\n");
    expect(formatMessage(shown, { color: true, addressOf })).toContain(
      "  a \u001b[1mbold\\u{1b}[2J\u001b[0m\n  \u001b[1mlin\u001b[0me\n",
    );
  });

  it("names its files with their address, and says that it was changed or deleted", () => {
    const file = { id: "1", filename: "proof.json", size: 2 };
    expect(formatMessage({ ...message, attachments: [file], edited: true }, { color: false, addressOf })).toBe(
      "bot (edited)\n  [proof.json, 2 bytes: http://x/1]\n",
    );
    expect(formatMessage({ ...message, deleted: true }, { color: false, addressOf })).toBe("bot\n  (deleted)\n");
  });
});
