import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { answerText, chatEvent, dataEvent, doneEvent } from "../../../support/upstream/content.ts";
import { behaviours, type BehaviourName } from "../../../support/upstream/behaviours.ts";
import type { Behaviour } from "../../../support/upstream/behaviour.ts";
import { startUpstream } from "../../../support/upstream/upstream.ts";
import { startPublicName } from "../../support/public-name.ts";
import { chat, startCalledGateway, type Answer, type CalledGateway } from "../support/called-gateway.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const quick = { timeouts: { idleSeconds: 0.3, firstTokenSeconds: { local: 1, cloud: 1 } } };

async function stream(behaviour: Behaviour, path?: string): Promise<{ answer: Answer; gateway: CalledGateway }> {
  const upstream = stack.use(await startUpstream({ behaviour }));
  const gateway = await startCalledGateway(stack, { route: [upstream], settings: quick });
  const answer = await gateway.ask(chat("m", { stream: true }), path === undefined ? {} : { path });
  expect(gateway.underWay()).toBe(0);
  return { answer, gateway };
}

/** The data of every event, parsed where it is JSON; throws at half an event. */
function eventsOf({ text }: Answer): unknown[] {
  expect(text.endsWith("\n\n")).toBe(true);
  const data = text.split("\n\n").flatMap((block) => block.split("\n").filter((line) => line.startsWith("data: ")));
  return data.map((line) => (line === "data: [DONE]" ? "[DONE]" : (JSON.parse(line.slice(6)) as unknown)));
}
const isError = (event: unknown): boolean => typeof event === "object" && event !== null && "error" in event;

describe("a stream", () => {
  it.each<BehaviourName>([
    "closed-between-events",
    "reset-between-events",
    "closed-mid-event",
    "reset-mid-event",
    "ends-unfinished",
    "ends-uncounted",
  ])("whose provider is %s ends with one error event, after whole events only", async (behaviour) => {
    const { answer, gateway } = await stream(behaviours[behaviour]);
    const events = eventsOf(answer);
    expect(answer).toMatchObject({ status: 200, broke: false });
    expect(events.filter(isError)).toEqual([events.at(-1)]);
    expect(events.at(-1)).toMatchObject({ error: { type: "upstream_error", code: "upstream_broken" } });
    expect(events).toHaveLength(1 + 40 + 1);
    expect(gateway.verdicts).toEqual(["first succeeded"]);
    expect(gateway.ends).toMatchObject([{ status: 200, error: "upstream_broken", failed: "upstream" }]);
  });

  it("that stands still ends with an error event within the limit", async () => {
    const startedAt = performance.now();
    const { answer, gateway } = await stream(behaviours.stalling);
    expect(eventsOf(answer).at(-1)).toMatchObject({ error: { type: "gateway_timeout", code: "upstream_timeout" } });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(gateway.ends).toMatchObject([{ error: "upstream_timeout", failed: "upstream" }]);
  });

  it.each<BehaviourName>(["normal", "no-done"])(
    "that is complete (%s) ends without a word of the gateway's",
    async (behaviour) => {
      const { answer, gateway } = await stream(behaviours[behaviour]);
      expect(eventsOf(answer).filter(isError)).toEqual([]);
      expect(answer.text).toContain('"finish_reason":"stop"');
      expect(gateway.ends[0]?.error).toBeUndefined();
      expect(answer.text.startsWith(": the stand-in thinks\n\n")).toBe(true);
    },
  );

  it.each<BehaviourName>(["error-later", "error-then-done", "error-named", "error-beside-choices"])(
    "whose provider itself tells of its failure (%s) gets no second error, and counts as failed",
    async (behaviour) => {
      const { answer, gateway } = await stream(behaviours[behaviour]);
      expect(eventsOf(answer).filter(isError)).toHaveLength(1);
      expect(gateway.ends).toMatchObject([{ status: 200, error: "upstream_error", failed: "upstream" }]);
    },
  );

  it("of /v1/responses is told from half of one, and its error has the form that clients raise for", async () => {
    const whole = await stream(behaviours.normal, "/v1/responses");
    expect(whole.answer.text).not.toContain("event: error");
    expect(whole.gateway.ends[0]).toMatchObject({ tokens: { completion: 60, estimated: false } });
    const half = await stream(behaviours["closed-mid-event"], "/v1/responses");
    expect(half.answer.text).toContain("\n\nevent: error\ndata: ");
    expect(eventsOf(half.answer).at(-1)).toMatchObject({
      type: "error",
      code: "upstream_broken",
      sequence_number: 43,
      error: { code: "upstream_broken" },
    });
  });

  it("of /v1/completions is told from half of one", async () => {
    expect((await stream(behaviours["no-done"], "/v1/completions")).gateway.ends[0]?.error).toBeUndefined();
    expect((await stream(behaviours["ends-unfinished"], "/v1/completions")).gateway.ends[0]?.error).toBe(
      "upstream_broken",
    );
  });

  it("of /v1/responses is complete however long its last event is", async () => {
    const { answer, gateway } = await stream((_, reply) => {
      reply.openStream();
      reply.chunk(`event: response.created\n${dataEvent({ type: "response.created", sequence_number: 0 })}`);
      const output = [{ text: "x".repeat(300_000) }];
      reply.chunk(`event: response.completed\n${dataEvent({ type: "response.completed", response: { output } })}`);
      reply.lastChunk();
    }, "/v1/responses");
    expect(answer.text).not.toContain("event: error");
    expect(gateway.ends[0]?.error).toBeUndefined();
  });

  it("that ends without the empty line behind its last event is complete, and so is that event", async () => {
    const { answer, gateway } = await stream((request, reply) => {
      reply.openStream();
      reply.chunk(chatEvent(request, { content: "all" }, "stop").trimEnd());
      reply.lastChunk();
    });
    expect(eventsOf(answer)).toMatchObject([{ choices: [{ finish_reason: "stop" }] }]);
    expect(gateway.ends[0]?.error).toBeUndefined();
  });

  it("has events larger than anybody holds passed on, and a cut one of them is no success either", async () => {
    const big = (request: Parameters<typeof chatEvent>[0]): string =>
      chatEvent(request, { content: "x".repeat(3 << 20) });
    const whole = await stream((request, reply) => {
      reply.openStream();
      reply.chunk(chatEvent(request, { content: "" }));
      reply.chunk(big(request));
      reply.chunk(doneEvent);
      reply.lastChunk();
    });
    expect(whole.answer.bytes.length).toBeGreaterThan(3 << 20);
    expect(whole.gateway.ends[0]?.error).toBeUndefined();
    const cut = await stream(async (request, reply) => {
      reply.openStream();
      reply.chunk(chatEvent(request, { content: "" }));
      reply.chunk(big(request).slice(0, 2 << 20));
      await reply.wait(50);
      await reply.close();
    });
    expect(cut.answer.text.slice(-300)).toMatch(/x+\n\ndata: \{"error":/);
  });

  it("begins as soon as its first event is there, and each event is passed on when it comes", async () => {
    const upstream = stack.use(await startUpstream());
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    upstream.behave(async (request, reply) => {
      reply.openStream();
      reply.chunk(": thinking\n\n");
      for (const [index, gate] of gates.entries()) {
        await gate.promise;
        reply.chunk(chatEvent(request, { content: `part ${index}` }, index === 1 ? "stop" : null));
      }
      reply.lastChunk();
    });
    const gateway = await startCalledGateway(stack, { route: [upstream] });
    const sent = httpRequest({
      port: gateway.port,
      host: "127.0.0.1",
      path: "/v1/chat/completions",
      method: "POST",
      agent: false,
    });
    sent.end(JSON.stringify(chat("m", { stream: true })));
    let begun = false;
    void once(sent, "response").then(() => (begun = true));
    await upstream.call(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(begun).toBe(false);
    gates[0]!.resolve();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const [first] = (await once(response, "data")) as [Buffer];
    expect(first.toString()).toContain("part 0");
    expect(first.toString()).not.toContain("part 1");
    gates[1]!.resolve();
    const [second] = (await once(response, "data")) as [Buffer];
    expect(second.toString()).toContain("part 1");
  });

  // Clients look for events in it, find none, and take that for an answer of no words.
  it("that was asked for and comes as JSON is refused", async () => {
    const { answer } = await stream((_, reply) => reply.send(200, '{"choices":[]}'));
    expect(answer.status).toBe(502);
    expect(answer.text).toContain("no stream");
  });

  it("is known as one even when its type does not say so", async () => {
    const { answer } = await stream((request, reply) => {
      reply.head(200, { "transfer-encoding": "chunked" });
      reply.chunk(chatEvent(request, { content: "a" }));
      reply.chunk(doneEvent);
      reply.lastChunk();
    });
    expect(eventsOf(answer)).toHaveLength(2);
  });

  it("that is compressed is refused, since nobody could tell its end", async () => {
    const { answer } = await stream((_, reply) =>
      reply.send(200, "x", { "content-type": "text/event-stream", "content-encoding": "gzip" }),
    );
    expect(answer.status).toBe(502);
    expect(answer.text).toContain("compressed");
  });

  it("over HTTP/2 is the same, and its failures are told in the same way", async () => {
    const upstream = stack.use(await startUpstream());
    const gateway = await startCalledGateway(stack, { route: [upstream], settings: quick });
    const name = stack.use(await startPublicName(gateway.handler("public")));
    const session = name.http2();
    for (const model of ["normal", "closed-mid-event", "failing-503"]) {
      const sent = session.request({ ":path": "/v1/chat/completions", ":method": "POST" });
      sent.end(JSON.stringify(chat(model, { stream: true })));
      const [headers] = (await once(sent, "response")) as [Record<string, string | number>];
      let text = "";
      for await (const chunk of sent.setEncoding("utf8")) text += chunk as string;
      expect(headers[":status"]).toBe(model === "failing-503" ? 503 : 200);
      expect(headers["x-postern-provider"]).toBe("first");
      if (model === "normal") expect(text.replaceAll(/[^]*?"content":"([^"]*)"|[^]+$/g, "$1")).toContain(answerText);
      if (model === "closed-mid-event") expect(text).toMatch(/\n\ndata: \{"error":[^\n]*\n\n$/);
    }
    session.close();
  });

  it("waits for a slow client instead of holding its bytes, and is no stall then", async () => {
    const upstream = stack.use(await startUpstream());
    let written = 0;
    upstream.behave(async (request, reply) => {
      reply.openStream();
      const event = chatEvent(request, { content: "x".repeat(50_000) });
      for (; written < 400; written++) {
        reply.chunk(event);
        await reply.drain();
      }
      reply.chunk(doneEvent);
      reply.lastChunk();
    });
    const gateway = await startCalledGateway(stack, { route: [upstream], settings: quick });
    const sent = httpRequest({
      port: gateway.port,
      host: "127.0.0.1",
      path: "/v1/chat/completions",
      method: "POST",
      agent: false,
    });
    sent.end(JSON.stringify(chat("m", { stream: true })));
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    response.pause();
    await new Promise((resolve) => setTimeout(resolve, 1_000)); // three times the limit between pieces
    const held = written;
    expect(held).toBeLessThan(390);
    let bytes = 0;
    let last = "";
    for await (const chunk of response) {
      bytes += (chunk as Buffer).length;
      last = (chunk as Buffer).toString().slice(-20);
    }
    expect(bytes).toBeGreaterThan(400 * 50_000);
    expect(last).toContain("[DONE]");
    expect(gateway.ends[0]?.error).toBeUndefined();
  });
});
