import { describe, expect, it } from "vitest";
import { Lane } from "../../../../tee-bot/bot/send/lane.ts";
import { RestClient, type RestCall } from "../../../../tee-bot/bot/send/rest-client.ts";
import { freePort } from "../../../support/postern.ts";
import { startScriptedRest } from "./support/scripted-rest.ts";

const call: RestCall = { method: "POST", path: "/v2/send", body: { message: "hello" }, timeoutMs: 2_000, lane: "call" };
const clientOf = (api: string): RestClient => new RestClient({ api, lane: new Lane() });

describe("a call of the REST server", () => {
  it("is certainly not made where nothing listens, or where the name leads nowhere", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    await expect(clientOf(url).call(call)).rejects.toMatchObject({ kind: "unreachable" });
    await expect(clientOf("http://signal-api.invalid").call(call)).rejects.toMatchObject({ kind: "unreachable" });
  });

  it("has an unknown outcome when the connection breaks after it was made", async () => {
    await using rest = await startScriptedRest(() => "reset");
    await expect(clientOf(rest.url).call(call)).rejects.toMatchObject({ kind: "unknown" });
    expect(rest.calls).toHaveLength(1);
  });

  it("is given up by its deadline, and the next one goes on", async () => {
    await using rest = await startScriptedRest(({ body }) => (body["message"] === "hang" ? "hang" : { status: 204 }));
    const client = clientOf(rest.url);
    const hanging = client.call({ ...call, body: { message: "hang" }, timeoutMs: 150 });
    const next = client.call(call);
    await expect(hanging).rejects.toMatchObject({ kind: "unknown", code: "upstream-timeout" });
    expect(await next).toMatchObject({ status: 204 });
    expect(rest.mostAtOnce).toBe(1);
  });

  it("does not use a connection of one before, which the server may just be closing", async () => {
    await using rest = await startScriptedRest(() => ({ status: 204 }));
    const client = clientOf(rest.url);
    await client.call(call);
    expect(rest.calls[0]?.headers.connection).toBe("close");
    await rest.stop();
    await expect(client.call(call)).rejects.toMatchObject({ kind: "unreachable" });
    await rest.start();
    expect(await client.call(call)).toMatchObject({ status: 204 });
  });

  it("reads no more of an answer than it may", async () => {
    await using rest = await startScriptedRest(() => ({ status: 200, body: "x".repeat(5_000) }));
    const client = clientOf(rest.url);
    await expect(client.call({ ...call, maxBytes: 5_001 })).rejects.toMatchObject({ kind: "too-large" });
    expect((await client.call({ ...call, maxBytes: 5_002 })).bytes).toHaveLength(5_002);
  });

  it("goes through one lane, but for those that do not ask signal-cli", async () => {
    await using rest = await startScriptedRest(() => ({ status: 204, afterMs: 20 }));
    const client = clientOf(rest.url);
    await Promise.all(Array.from({ length: 8 }, () => client.call(call)));
    expect(rest.mostAtOnce).toBe(1);
    await Promise.all(Array.from({ length: 8 }, () => client.call({ ...call, lane: "none" })));
    expect(rest.mostAtOnce).toBeGreaterThan(1);
  });

  it("has the address's folder and credentials, which are for a proxy before it", async () => {
    await using rest = await startScriptedRest(() => ({ status: 204 }));
    const api = `${rest.url.replace("//", "//postern:p%40ss@")}/signal/`;
    await clientOf(api).call(call);
    expect(rest.calls[0]).toMatchObject({
      path: "/signal/v2/send",
      headers: { authorization: `Basic ${Buffer.from("postern:p@ss").toString("base64")}` },
    });
  });

  it("is not made at all when its beginning could not be stored, or the bot has stopped", async () => {
    await using rest = await startScriptedRest(() => ({ status: 204 }));
    const client = clientOf(rest.url);
    const onTurn = (): void => {
      throw new Error("The disk is full.");
    };
    await expect(client.call({ ...call, onTurn })).rejects.toThrow("The disk is full.");
    await expect(client.call({ ...call, signal: AbortSignal.abort() })).rejects.toMatchObject({ kind: "dropped" });
    expect(rest.calls).toHaveLength(0);
  });
});
