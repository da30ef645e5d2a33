import { afterEach, describe, expect, it } from "vitest";
import { answerText } from "../../../support/upstream/content.ts";
import { behaviours, type BehaviourName } from "../../../support/upstream/behaviours.ts";
import { startUpstream } from "../../../support/upstream/upstream.ts";
import { chat, startCalledGateway, type Answer } from "../support/called-gateway.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const settings = { timeouts: { idleSeconds: 0.3, firstTokenSeconds: { local: 0.3, cloud: 0.3 } } };
const whole = { headers: { "x-postern-delivery": "whole" } };
const textOf = ({ text }: Answer): string =>
  [...text.matchAll(/"content":"([^"]*)"/g)].map(([, part]) => part).join("");

describe("an answer that is delivered whole", () => {
  it.each<BehaviourName>([
    "closed-between-events",
    "reset-mid-event",
    "ends-unfinished",
    "ends-uncounted",
    "malformed-event",
    "error-later",
    "error-then-done",
    "error-beside-choices",
    "stalling",
    "silent-after-head",
    "only-comments",
  ])("comes from the next provider when the first is %s", async (behaviour) => {
    const first = stack.use(await startUpstream({ behaviour: behaviours[behaviour] }));
    const second = stack.use(await startUpstream());
    const gateway = await startCalledGateway(stack, { route: [first, second], settings });
    const answer = await gateway.ask(chat("m", { stream: true }), whole);
    expect(answer.status).toBe(200);
    expect(textOf(answer)).toBe(answerText);
    expect(answer.text).not.toContain("error");
    expect(answer.text.endsWith("data: [DONE]\n\n")).toBe(true);
    expect(answer.headers).toMatchObject({
      "x-postern-provider": "second",
      "content-type": expect.stringMatching(/^text\/event-stream/) as unknown,
      "content-length": String(answer.bytes.length),
    });
    expect(gateway.verdicts).not.toContain("first succeeded");
    expect(gateway.underWay()).toBe(0);
  });

  it("is a failure with a status when there is no other provider", async () => {
    const upstream = stack.use(await startUpstream());
    const gateway = await startCalledGateway(stack, { route: [upstream], settings });
    for (const [model, status] of [
      ["closed-mid-event", 502],
      ["stalling", 504],
      ["error-later", 502],
    ] as const) {
      const answer = await gateway.ask(chat(model, { stream: true }), whole);
      expect(answer.status).toBe(status);
      expect(answer.headers["x-postern-failed"]).toBe("upstream");
      expect(JSON.parse(answer.text)).toHaveProperty("error.message");
    }
  });

  it("is asked for by an alias too", async () => {
    const first = stack.use(await startUpstream({ behaviour: behaviours["closed-mid-event"] }));
    const second = stack.use(await startUpstream());
    const gateway = await startCalledGateway(stack, { route: [first, second], whole: true });
    const answer = await gateway.ask(chat("m", { stream: true }));
    expect(textOf(answer)).toBe(answerText);
  });

  it("may be slow as long as something comes, also before its first event is long past", async () => {
    const upstream = stack.use(await startUpstream({ behaviour: behaviours.paced }));
    const gateway = await startCalledGateway(stack, { route: [upstream], settings });
    const answer = await gateway.ask(chat("m", { stream: true }), whole);
    expect(textOf(answer)).toBe(answerText);
    expect(gateway.attempts).toHaveLength(1);
  });

  it("is refused when it is longer than can be held", async () => {
    const upstream = stack.use(await startUpstream());
    const gateway = await startCalledGateway(stack, { route: [upstream], settings: { retry: { perProvider: 1 } } });
    upstream.behave(async (request, reply) => {
      reply.openStream();
      for (let sent = 0; sent < 20; sent++) {
        reply.chunk(`data: {"x":"${"y".repeat(1 << 20)}"}\n\n`);
        await reply.drain();
      }
      await request.left;
    });
    const answer = await gateway.ask(chat("m", { stream: true }), whole);
    expect(answer.status).toBe(502);
    expect(answer.text).toContain("too long");
  });

  it("has a form that is checked", async () => {
    const upstream = stack.use(await startUpstream());
    const gateway = await startCalledGateway(stack, { route: [upstream] });
    const answer = await gateway.ask(chat("m"), { headers: { "x-postern-delivery": "half" } });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain("X-Postern-Delivery");
  });
});
