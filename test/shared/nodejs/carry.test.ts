import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { carry } from "../../../shared/nodejs/carry.ts";
import { canReadInto } from "../../../shared/nodejs/read-into.ts";
import { readBytes, readEnd } from "../../support/socket-events.ts";
import { openPairs } from "./spliced-sockets.ts";

const mebibyte = 1024 * 1024;

describe("carry", () => {
  it("can read into memory that is used again, on the Node that this runs on", () => {
    expect(canReadInto).toBe(true);
  });

  it("keeps the bytes of many sockets apart that read into the same memory", async () => {
    const pairs = await Promise.all(Array.from({ length: 8 }, openPairs));
    const sent = pairs.map(() => randomBytes(3 * mebibyte));
    const received = pairs.map(({ visitor, backend, a, b }, at) => {
      b.on("end", () => a.end());
      carry(b, a);
      sendInPieces(backend, sent[at]!);
      return readEnd(visitor);
    });
    for (const [at, end] of received.entries()) expect((await end).bytes.equals(sent[at]!)).toBe(true);
    for (const { visitor, backend } of pairs) for (const socket of [visitor, backend]) socket.destroy();
  });

  it("keeps the bytes of a receiver that stops and goes on, whatever others send meanwhile", async () => {
    const [slow, busy] = await Promise.all([openPairs(), openPairs()]);
    for (const { a, b } of [slow, busy]) {
      b.on("end", () => a.end());
      carry(b, a);
    }
    const sent = randomBytes(24 * mebibyte);
    slow.backend.end(sent);
    slow.visitor.pause();
    busy.backend.write(Buffer.alloc(8 * mebibyte, 1));
    await readBytes(busy.visitor, 8 * mebibyte);
    expect((await readEnd(slow.visitor)).bytes.equals(sent)).toBe(true);
    busy.backend.destroy();
  });

  it("begins with what was buffered, in order", async () => {
    const { visitor, backend, a, b } = await openPairs();
    backend.write("second ");
    await once(b, "readable");
    b.unshift(Buffer.from("first "));
    carry(b, a);
    backend.write("third");
    expect((await readBytes(visitor, 18)).toString()).toBe("first second third");
    backend.destroy();
  });
});

/** Of every size from one byte to some hundred kilobytes, so that reads are small and large by turns. */
function sendInPieces(socket: NodeJS.WritableStream, bytes: Buffer): void {
  for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7) % 300_001)
    socket.write(bytes.subarray(at, at + size));
  socket.end();
}
