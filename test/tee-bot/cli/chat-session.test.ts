import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../shared/clock.ts";
import { startSignalSimulator, type SignalSimulator } from "../../../tee-bot/bot/simulator/simulator.ts";
import { openChat } from "../../../tee-bot/cli/chat-client.ts";
import { chatInTerminal } from "../../../tee-bot/cli/chat-session.ts";

const number = "+15550000001";

describe("a chat in a terminal", () => {
  let simulator: SignalSimulator;
  beforeEach(async () => {
    simulator = await startSignalSimulator();
  });
  afterEach(() => simulator[Symbol.asyncDispose]());

  const say = (message: string): Promise<Response> =>
    fetch(`${simulator.url}/v2/send`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ number, recipients: [simulator.person("you").uuid], message }),
    });

  function open() {
    const [input, output] = [new PassThrough(), new PassThrough()];
    let shown = "";
    output.setEncoding("utf8").on("data", (text: string) => (shown += text));
    const over = new AbortController();
    const place = { url: simulator.url, from: "you", group: undefined };
    const client = openChat(place, { clock: systemClock, signal: over.signal });
    const session = { client, input, output, color: false, clock: systemClock, signal: over.signal };
    const ended = chatInTerminal(session);
    return { input, shown: () => shown, over, ended };
  }

  it("shows what was said before, sends lines, and shows answers as they come, without an echo", async () => {
    simulator.phone().write({ text: "earlier" });
    const { input, shown, ended, over } = open();
    await expect.poll(shown).toContain("you\n  earlier\n");
    input.write("hello\r");
    await expect.poll(() => simulator.conversation().messages.at(-1)?.text).toBe("hello");
    await say("an answer");
    await expect.poll(shown).toContain("bot\n  an answer\n");
    expect(shown()).not.toContain("you\n  hello");
    input.write("\u0003"); // Ctrl-C
    await ended;
    over.abort();
  });

  it("says that a line was not sent, and that the simulator is away, and goes on", async () => {
    const { input, shown, ended, over } = open();
    await say("there"); // shown, so events come
    await expect.poll(shown).toContain("there");
    await simulator[Symbol.asyncDispose]();
    await expect.poll(shown).toContain("the simulator is away");
    input.write("hello\r");
    await expect.poll(shown).toContain("(not sent: No simulator answers");
    over.abort();
    await ended;
  });
});
