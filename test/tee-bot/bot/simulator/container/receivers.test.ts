import { once } from "node:events";
import { WebSocket } from "ws";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { soon, startWorld, type SimulatorWorld } from "../support/world.ts";

let world: SimulatorWorld;
beforeEach(async () => {
  world = await startWorld({ hook: undefined });
});
afterEach(() => world[Symbol.asyncDispose]());

async function receive(number = "+15550000001"): Promise<{ socket: WebSocket; frames: string[] }> {
  const socket = new WebSocket(`${world.simulator.url.replace("http", "ws")}/v1/receive/${number}`);
  const frames: string[] = [];
  socket.on("message", (data: Buffer) => frames.push(data.toString()));
  await once(socket, "open");
  return { socket, frames };
}

describe("the WebSocket of /v1/receive", () => {
  it("gives the params of each line of its account, and nothing else", async () => {
    const [own, other] = [await receive(), await receive("%2B15550000002")];
    const timestamp = world.simulator.phone().write({ text: "hello" });
    await soon(() => own.frames.length === 1);
    const params = JSON.parse(own.frames[0]!) as Record<string, unknown>;
    expect(Object.keys(params)).toEqual(["envelope", "account"]);
    expect(params).toMatchObject({
      envelope: { timestamp, dataMessage: { message: "hello" } },
      account: "+15550000001",
    });
    expect(other.frames).toEqual([]);
    expect(world.simulator.lost).toEqual([]);
  });

  it("loses what comes while nobody is connected", async () => {
    world.simulator.phone().write({ text: "lost" });
    await soon(() => world.simulator.lost.length === 1);
    const { frames } = await receive();
    world.simulator.phone().write({ text: "heard" });
    await soon(() => frames.length === 1);
    expect(frames[0]).toContain("heard");
    expect(world.simulator.lost).toMatchObject([{ why: "nobody was reading" }]);
  });

  it("drops what comes while its reader has not read the last, and does not wait", async () => {
    const { socket, frames } = await receive();
    socket.pause();
    const large = "x".repeat(900_000);
    for (let count = 0; count < 30; count++) world.simulator.phone().write({ text: large });
    await soon(() => world.simulator.waiting === 0 && world.simulator.lost.length > 0);
    const { lost } = world.simulator;
    socket.resume();
    await soon(() => frames.length === 30 - lost.length);
    expect(frames.length).toBeGreaterThan(0);
  });

  it("gives a message to the webhook too, and counts it as taken when either took it", async () => {
    await using both = await startWorld();
    both.hook.answer = () => ({ status: 500 });
    const socket = new WebSocket(`${both.simulator.url.replace("http", "ws")}/v1/receive/+15550000001`);
    await once(socket, "open");
    const message = once(socket, "message");
    both.simulator.phone().write({ text: "hello" });
    await message;
    await soon(() => both.hook.posted.length === 1);
    expect(both.simulator.lost).toEqual([]);
  });

  it.each([
    ["/v1/receive/%E0%A4%A", {}],
    ["/v1/other", {}],
    ["/v1/receive/+15550000001", { origin: "https://evil.example" }],
    ["/v1/receive/+15550000001", { host: "evil.example" }],
  ])("is not for everybody: %s with %j", async (path, headers) => {
    const socket = new WebSocket(`${world.simulator.url.replace("http", "ws")}${path}`, { headers });
    const [error] = (await once(socket, "error")) as [Error];
    expect(error.message).toMatch(/socket hang up|ECONNRESET/);
    expect(await world.call("GET", "/v1/health")).toMatchObject({ status: 204 });
  });

  it("ends with the server", async () => {
    const { socket } = await receive();
    const closed = once(socket, "close");
    world.simulator.crash();
    expect((await closed)[0]).toBe(1006);
  });

  it("is no answer to a poll: that is a 400 in json-rpc mode", async () => {
    expect(await world.call("GET", "/v1/receive/+15550000001")).toEqual({
      status: 400,
      body: {
        error:
          "websocket: the client is not using the websocket protocol: 'upgrade' token not found in 'Connection' header",
      },
    });
  });
});
