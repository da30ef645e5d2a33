import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { splice } from "../../../shared/nodejs/splice.ts";
import { readBytes, readEnd } from "../../support/socket-events.ts";
import { closed, openPairs, openSplice } from "./spliced-sockets.ts";

const mebibyte = 1024 * 1024;

describe("splice", () => {
  it("carries bytes both ways and counts them", async () => {
    const { visitor, backend, result } = await openSplice();
    visitor.write("ping");
    expect((await readBytes(backend, 4)).toString()).toBe("ping");
    backend.write("pong!");
    expect((await readBytes(visitor, 5)).toString()).toBe("pong!");
    const ends = [readEnd(visitor), readEnd(backend)];
    visitor.end();
    backend.end();
    expect((await Promise.all(ends)).map(({ how }) => how)).toEqual(["end", "end"]);
    expect(await result).toEqual({ bytesFromA: 4, bytesFromB: 5, ended: "finished" });
  });

  it("sends what was already buffered in a socket", async () => {
    const { visitor, backend, a, b } = await openPairs();
    a.unshift(Buffer.from("early "));
    void splice(a, b, { idleMs: 10_000 });
    visitor.end("late");
    expect((await readEnd(backend)).bytes.toString()).toBe("early late");
    backend.end();
  });

  it.each(["visitor", "backend"] as const)("passes on an end of the %s that came before it began", async (which) => {
    const { visitor, backend, a, b } = await openPairs();
    const [first, met, other] = which === "visitor" ? [visitor, a, backend] : [backend, b, visitor];
    first.end();
    await once(met.resume(), "end");
    const result = splice(a, b, { idleMs: 10_000 });
    expect((await readEnd(other)).how).toBe("end");
    other.end();
    expect((await result).ended).toBe("finished");
  });

  it.each(["visitor", "backend"] as const)(
    "passes an end of the %s on, and lets the other go on sending",
    async (which) => {
      const pair = await openSplice();
      const first = pair[which];
      const other = which === "visitor" ? pair.backend : pair.visitor;
      first.end("done");
      const end = await readEnd(other);
      expect([end.how, end.bytes.toString()]).toEqual(["end", "done"]);
      const answer = randomBytes(3 * mebibyte);
      const received = readEnd(first);
      other.end(answer);
      const { how, bytes } = await received;
      expect(how).toBe("end");
      expect(bytes.equals(answer)).toBe(true);
      expect((await pair.result).ended).toBe("finished");
    },
  );

  it("moves 64 MiB each way at once, unchanged", async () => {
    const { visitor, backend, result } = await openSplice();
    const block = randomBytes(mebibyte);
    const hashes = [visitor, backend].map(hashOf);
    await Promise.all([visitor, backend].map((socket) => writeBlocks(socket, block, 64)));
    const expected = createHash("sha256");
    for (let count = 0; count < 64; count++) expected.update(block);
    const hash = expected.digest("hex");
    expect(await Promise.all(hashes)).toEqual([hash, hash]);
    expect(await result).toEqual({ bytesFromA: 64 * mebibyte, bytesFromB: 64 * mebibyte, ended: "finished" });
  });

  it.each(["visitor", "backend"] as const)("passes a reset by the %s on as a reset", async (which) => {
    const pair = await openSplice();
    const other = which === "visitor" ? pair.backend : pair.visitor;
    other.write("x");
    await readBytes(pair[which], 1);
    const end = readEnd(other);
    pair[which].resetAndDestroy();
    expect((await end).how).toBe("reset");
    expect((await pair.result).ended).toBe("error");
    expect([pair.a.closed, pair.b.closed]).toEqual([true, true]);
  });

  it("never makes a transfer that was cut short look complete", async () => {
    const { visitor, backend, result } = await openSplice();
    const received = readEnd(visitor);
    backend.write(randomBytes(200_000));
    await once(visitor, "data");
    backend.resetAndDestroy();
    expect((await received).how).toBe("reset");
    expect((await result).ended).toBe("error");
  });

  it("never makes a transfer look complete when its own end is destroyed", async () => {
    const { visitor, b, result } = await openSplice();
    const received = readEnd(visitor);
    b.destroy();
    expect((await received).how).toBe("reset");
    expect((await result).ended).toBe("error");
  });

  it("resets the other when one had closed before it began", async () => {
    const { visitor, backend, a, b } = await openPairs();
    backend.resetAndDestroy();
    await closed(b);
    const received = readEnd(visitor);
    expect((await splice(a, b, { idleMs: 10_000 })).ended).toBe("error");
    expect((await received).how).toBe("reset");
  });

  it("stops reading from a fast sender whose receiver reads nothing, and holds little meanwhile", async () => {
    const { visitor, backend, a, b, result } = await openSplice();
    visitor.pause();
    const block = randomBytes(mebibyte);
    for (let count = 0; count < 64; count++) backend.write(block);
    await stalled(b);
    expect(b.bytesRead).toBeLessThan(32 * mebibyte); // the kernel holds some megabytes on its way
    expect(a.writableLength + b.readableLength).toBeLessThan(mebibyte / 2);
    expect(backend.writableLength).toBeGreaterThan(16 * mebibyte);
    const received = hashOf(visitor);
    backend.end();
    const sent = createHash("sha256");
    for (let count = 0; count < 64; count++) sent.update(block);
    expect(await received).toBe(sent.digest("hex"));
    visitor.end();
    expect((await result).ended).toBe("finished");
  });

  it("closes a splice without a byte for the idle limit, with a reset to both", async () => {
    const { visitor, backend, result } = await openSplice({ idleMs: 80 });
    const start = performance.now();
    const ends = await Promise.all([readEnd(visitor), readEnd(backend)]);
    expect(ends.map(({ how }) => how)).toEqual(["reset", "reset"]);
    expect(performance.now() - start).toBeGreaterThanOrEqual(60);
    expect((await result).ended).toBe("idle");
  });

  it("lives beyond the idle limit for as long as one direction moves", async () => {
    const { visitor, backend, result } = await openSplice({ idleMs: 120 });
    const start = performance.now();
    while (performance.now() - start < 400) {
      backend.write("x");
      await readBytes(visitor, 1);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    visitor.end();
    backend.end();
    visitor.resume();
    backend.resume();
    expect((await result).ended).toBe("finished");
  });

  it("closes a splice whose receiver stopped reading, at the idle limit", async () => {
    const { visitor, backend, result } = await openSplice({ idleMs: 200 });
    visitor.pause();
    const block = Buffer.alloc(mebibyte);
    for (let count = 0; count < 64; count++) backend.write(block);
    expect((await result).ended).toBe("idle");
    await closed(backend);
  });

  it("closes a splice that was half-closed and then silent, at the idle limit", async () => {
    const { visitor, backend, result } = await openSplice({ idleMs: 100 });
    visitor.end();
    expect((await readEnd(backend)).how).toBe("end");
    expect((await result).ended).toBe("idle");
  });
});

describe("splice with confirmEndOfB", () => {
  it("passes an end of b on when it was meant", async () => {
    const { visitor, backend, result } = await openSplice({ confirmEndOfB: () => Promise.resolve(true) });
    backend.end("all");
    const end = await readEnd(visitor);
    expect([end.how, end.bytes.toString()]).toEqual(["end", "all"]);
    visitor.end();
    backend.resume();
    expect((await result).ended).toBe("finished");
  });

  it("makes it a reset when it was not", async () => {
    const { visitor, backend, result } = await openSplice({ confirmEndOfB: () => Promise.resolve(false) });
    backend.end("half");
    expect((await readEnd(visitor)).how).toBe("reset");
    expect((await result).ended).toBe("error");
  });

  it("passes an end of a on without a question", async () => {
    const { visitor, backend } = await openSplice({ confirmEndOfB: () => Promise.resolve(false) });
    visitor.end("question");
    expect((await readEnd(backend)).how).toBe("end");
    backend.destroy();
  });
});

async function hashOf(socket: Socket): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of socket as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest("hex");
}

async function writeBlocks(socket: Socket, block: Buffer, count: number): Promise<void> {
  for (let written = 0; written < count; written++) if (!socket.write(block)) await once(socket, "drain");
  socket.end();
}

/** Resolves once the socket has read nothing for 50 ms; what must not happen cannot be awaited otherwise. */
async function stalled(socket: Socket): Promise<void> {
  for (let quietTurns = 0, bytes = -1; quietTurns < 10;) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    quietTurns = socket.bytesRead === bytes ? quietTurns + 1 : 0;
    bytes = socket.bytesRead;
  }
}
