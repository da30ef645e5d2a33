import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPostern, until, type Postern } from "../support/postern.ts";
import { visit } from "../support/visit.ts";

const idleConnections = 10_000;
const relayMemoryGrowthLimitKb = 300 * 1024; // 30 KB for each of 10,000

describe("garbage", () => {
  let postern: Postern;
  let ports: Record<string, number>;
  beforeAll(async () => {
    postern = await startPostern();
    const control = JSON.parse(readFileSync(`${postern.run.state}/node/control.json`, "utf8")) as { url: string };
    ports = {
      visitors: postern.run.relay.port,
      edge: Number(new URL(postern.run.edge).port),
      gateway: Number(new URL(postern.run.gateway).port),
      control: Number(new URL(control.url).port),
    };
  });
  afterAll(() => postern[Symbol.asyncDispose]());

  async function expectOthersUnaffected(): Promise<void> {
    const startedAt = performance.now();
    expect((await visit(postern, "/healthz")).status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  }

  /** Sends bytes and resolves to what came back until the other side closed, or undefined when it did not within `ms`. */
  async function converse(port: number, bytes: Uint8Array | string, ms: number): Promise<Buffer | undefined> {
    const socket = connect({ port, host: "127.0.0.1" });
    const received: Buffer[] = [];
    socket.on("data", (chunk) => received.push(chunk)).on("error", () => {});
    socket.write(bytes);
    const closed = new Promise<Buffer>((resolve) => socket.once("close", () => resolve(Buffer.concat(received))));
    const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), ms).unref());
    const result = await Promise.race([closed, late]);
    socket.destroy();
    return result;
  }

  it.each(["visitors", "edge", "gateway", "control"])(
    "as random bytes to the %s port is refused, and others notice nothing",
    async (name) => {
      const port = ports[name] ?? 0;
      const answers = await Promise.all(
        Array.from({ length: 100 }, () => converse(port, randomBytes(1 + Math.floor(Math.random() * 4_000)), 8_000)),
      );
      // Bytes that happen to begin like a record or a preface may wait for the rest until the deadline.
      expect(answers.filter((answer) => answer !== undefined).length).toBeGreaterThan(95);
      await expectOthersUnaffected();
    },
  );

  it("as HTTP on the TLS port is closed at once", async () => {
    const answer = await converse(
      ports["visitors"] ?? 0,
      "GET / HTTP/1.1\r\nhost: demo.postern.localhost\r\n\r\n",
      2_000,
    );
    expect(answer).toBeDefined();
    expect(answer?.includes("HTTP/")).toBe(false);
  });

  it("as half a hello and then silence is ended by the deadline", async () => {
    const half = Buffer.from("1603010200010001fc0303", "hex");
    expect(await converse(ports["visitors"] ?? 0, half, 10_000)).toBeDefined();
    await expectOthersUnaffected();
  });

  it("as pool prefaces with passes nobody was given is refused", async () => {
    const preface = Buffer.concat([Buffer.from("00504e01", "hex"), randomBytes(16)]);
    expect(await converse(ports["visitors"] ?? 0, preface, 2_000)).toBeDefined();
    await expectOthersUnaffected();
  });

  it("as 10,000 connections that say nothing costs bounded memory and nobody else's time", async () => {
    const relay = postern.pids().relay;
    const before = residentKb(relay);
    const sockets: Socket[] = [];
    let closed = 0;
    for (let at = 0; at < idleConnections; at++) {
      // Linux lends each loopback address its own range of ports; the visitors come from several.
      const socket = connect({
        port: ports["visitors"] ?? 0,
        host: "127.0.0.1",
        localAddress: `127.0.0.${2 + (at % 8)}`,
      });
      socket.on("error", () => {}).once("close", () => closed++);
      sockets.push(socket);
      if (at % 500 === 499) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (at % 2_500 === 2_499) await expectOthersUnaffected();
      }
    }
    await expectOthersUnaffected();
    expect(residentKb(relay) - before).toBeLessThan(relayMemoryGrowthLimitKb);
    await until(() => closed === idleConnections, 20_000, "each is ended by the deadline");
    await expectOthersUnaffected();
    for (const socket of sockets) socket.destroy();
    expect(postern.pids().relay).toBe(relay); // it did not crash and come back
  });
});

function residentKb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}
