import { once } from "node:events";
import { request as httpRequest, type ClientRequest } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { chatEvent } from "../../../support/upstream/content.ts";
import { behaviours, type BehaviourName } from "../../../support/upstream/behaviours.ts";
import { startUpstream } from "../../../support/upstream/upstream.ts";
import { until } from "../../../support/postern.ts";
import { startPublicName } from "../../support/public-name.ts";
import { chat, startCalledGateway, type CalledGateway } from "../support/called-gateway.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const limitMs = 100;

function open({ port }: CalledGateway, model: string, stream: boolean): ClientRequest {
  const sent = httpRequest({ port, host: "127.0.0.1", path: "/v1/chat/completions", method: "POST", agent: false });
  sent.on("error", () => {}).end(JSON.stringify(chat(model, { stream })));
  return sent;
}

describe("a client that leaves", () => {
  it.each<[string, boolean, BehaviourName]>([
    ["before the head of its stream", true, "silent"],
    ["before the first event of its stream", true, "only-comments"],
    ["amid its stream", true, "paced"],
    ["before its JSON", false, "silent"],
    ["amid its JSON", false, "silent-after-head"],
  ])("%s ends the call at the provider within 100 ms", async (_, stream, behaviour) => {
    const upstream = stack.use(await startUpstream({ behaviour: behaviours[behaviour] }));
    const gateway = await startCalledGateway(stack, { route: [upstream] });
    const sent = open(gateway, "m", stream);
    const call = await upstream.call(1);
    if (behaviour === "paced") await once(sent, "response");
    else await sleep(50);
    const leftAt = performance.now();
    sent.destroy();
    expect((await call.left) - leftAt).toBeLessThan(limitMs);
    await until(() => gateway.ends.length === 1, 1_000, "the call is over");
    expect(gateway.ends).toMatchObject([{ status: 499, error: "client_closed_request", failed: "client" }]);
    expect(gateway.verdicts).toEqual([behaviour === "paced" ? "first succeeded" : "first abandoned"]);
    expect(gateway.underWay()).toBe(0);
    expect(gateway.released).toHaveLength(1);
    if (behaviour === "paced") expect(gateway.released[0]).toMatchObject({ estimated: true, prompt: 5 });
    await sleep(150);
    expect(upstream.calls).toHaveLength(1);
  });

  it("over HTTP/2 ends the call at the provider too", async () => {
    const upstream = stack.use(await startUpstream());
    const gateway = await startCalledGateway(stack, { route: [upstream] });
    const name = stack.use(await startPublicName(gateway.handler("public")));
    const session = name.http2();
    for (const [index, model] of ["silent", "paced"].entries()) {
      const sent = session.request({ ":path": "/v1/chat/completions", ":method": "POST" });
      sent.on("error", () => {}).end(JSON.stringify(chat(model, { stream: true })));
      const call = await upstream.call(index + 1);
      if (model === "paced") await once(sent, "data");
      const leftAt = performance.now();
      sent.close(8); // CANCEL
      expect((await call.left) - leftAt).toBeLessThan(limitMs);
    }
    await until(() => gateway.ends.length === 2, 1_000, "the calls are over");
    expect(gateway.ends.map(({ status }) => status)).toEqual([499, 499]);
    session.destroy();
  });

  it("while the next attempt is waited for is not attempted for any more", async () => {
    const upstream = stack.use(await startUpstream({ behaviour: behaviours["rate-limited-for-1s"] }));
    const gateway = await startCalledGateway(stack, { route: [upstream] });
    const sent = open(gateway, "m", true);
    await upstream.call(1);
    await sleep(50);
    sent.destroy();
    await until(() => gateway.ends.length === 1, 500, "the call is over");
    expect(gateway.ends).toMatchObject([{ status: 499 }]);
    await sleep(1_100);
    expect(upstream.calls).toHaveLength(1);
  });

  it("while it waits for its turn gives its place up", async () => {
    const upstream = stack.use(await startUpstream());
    let reason: unknown;
    const admit = (_: unknown, __: unknown, { signal }: { signal: AbortSignal }): Promise<never> =>
      new Promise((___, reject) =>
        signal.addEventListener("abort", () => {
          ({ reason } = signal);
          reject(signal.reason as Error);
        }),
      );
    const gateway = await startCalledGateway(stack, { route: [upstream], access: { admit } });
    const sent = open(gateway, "m", false);
    await sleep(50);
    sent.destroy();
    await until(() => gateway.ends.length === 1, 500, "the call is over");
    expect(reason).toMatchObject({ code: "client_closed_request" });
    expect(gateway.ends).toMatchObject([{ status: 499 }]);
    expect(upstream.calls).toHaveLength(0);
  });

  it("and reads nothing any more is cut off in the end", { timeout: 20_000 }, async () => {
    const upstream = stack.use(await startUpstream());
    upstream.behave(async (request, reply) => {
      reply.openStream();
      for (let sent = 0; sent < 4_000; sent++) {
        reply.chunk(chatEvent(request, { content: "x".repeat(50_000) }));
        await reply.drain();
      }
    });
    const gateway = await startCalledGateway(stack, {
      route: [upstream],
      settings: { timeouts: { clientSeconds: 0.5 } },
    });
    const sent = open(gateway, "m", true);
    const [response] = (await once(sent, "response")) as [NodeJS.ReadableStream];
    response.pause();
    await (
      await upstream.call(1)
    ).left;
    await until(() => gateway.ends.length === 1, 1_000, "the call is over");
    expect(gateway.ends).toMatchObject([{ status: 499 }]);
    sent.destroy();
  });
});
