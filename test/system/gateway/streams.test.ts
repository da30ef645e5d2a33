import { createHash } from "node:crypto";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../../support/postern.ts";
import { answering } from "../../support/upstream/behaviours/complete.ts";
import { startGatewayWorld, type GatewayWorld, type Protocol } from "./world.ts";

const tokenCount = 20_000;
const tokens = Array.from({ length: tokenCount }, (_, index) => `t${index}`);
const parallel = 200;
/** What reaches the node takes the way through relay and tunnel besides. */
const leaveMs = 100 + 150;

const own = Array.from({ length: parallel }, (_, index) => `one-of-${index}`);

let world: GatewayWorld;
beforeAll(async () => {
  world = await startGatewayWorld({ models: ["normal", "long", "endless", ...own] });
  world.upstream.behaveFor("long", answering({ words: tokens }));
  world.upstream.behaveFor("endless", answering({ words: tokens, everyMs: 5 }));
});
afterAll(() => world[Symbol.asyncDispose]());

async function openStream(model: string, protocol: Protocol, signal?: AbortSignal) {
  const answer = await request(`${world.baseUrl}/chat/completions`, {
    method: "POST",
    dispatcher: world.dispatcher(protocol),
    headers: { authorization: `Bearer ${world.key}`, "content-type": "application/json" },
    body: JSON.stringify({ model, stream: true, messages: [] }),
    ...(signal && { signal }),
  });
  return answer.body;
}

async function readWords(model: string, protocol: Protocol): Promise<{ words: string; isDone: boolean }> {
  const text = await (await openStream(model, protocol)).text();
  const words = [...text.matchAll(/"content":"([^"]*)"/g)].map(([, word]) => word).join("");
  return { words, isDone: text.endsWith("data: [DONE]\n\n") };
}

describe.each<Protocol>(["http/1.1", "h2"])("a stream through the public name over %s", (protocol) => {
  it(`of ${tokenCount} tokens arrives whole`, async () => {
    const { words, isDone } = await readWords("long", protocol);
    expect(isDone).toBe(true);
    expect(words.split(" ")).toHaveLength(tokenCount);
    expect(createHash("sha256").update(words).digest("hex")).toBe(
      createHash("sha256").update(tokens.join(" ")).digest("hex"),
    );
  });

  it(`is one of ${parallel} at once, and each has its own answer`, async () => {
    for (const name of own) world.upstream.behaveFor(name, answering({ words: [name, "and", "more"], everyMs: 20 }));
    const heard = await Promise.all(own.map((name) => readWords(name, protocol)));
    expect(heard.map(({ words }) => words)).toEqual(own.map((name) => `${name} and more`));
    expect(heard.every(({ isDone }) => isDone)).toBe(true);
  });

  it("that its client leaves ends at the provider", async () => {
    world.upstream.forget();
    const leaving = new AbortController();
    const body = await openStream("endless", protocol, leaving.signal);
    const ended = body.text().catch(() => "ended");
    const call = await world.upstream.call(1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const leftAt = performance.now();
    leaving.abort();
    expect(await ended).toBe("ended");
    expect((await call.left) - leftAt).toBeLessThan(leaveMs);
  });

  it.each(["relay", "node"] as const)(
    "is an error for its client when the %s is killed, and soon another one works",
    async (name) => {
      const body = await openStream("endless", protocol);
      const text = body.text();
      const outcome = text.then(
        (heard) => (heard.includes("[DONE]") ? "complete" : "short"),
        () => "error",
      );
      await new Promise((resolve) => setTimeout(resolve, 200));
      const before = world.postern.pids()[name];
      process.kill(before, "SIGKILL");
      expect(await outcome).toBe("error");
      await until(() => world.postern.pids()[name] !== before, 5_000, `the ${name} is started again`);
      const works = (): Promise<boolean> =>
        readWords("normal", protocol).then(
          ({ isDone }) => isDone,
          () => false,
        );
      await until(works, 20_000, "a stream arrives whole again");
    },
  );
});
