import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  encodeFrame,
  FrameReader,
  goawayReasons,
  maxFrameBytes,
  passBytes,
  type ControlFrame,
} from "../../../shared/tunnel/control.ts";
import { refusalOf } from "../refusal.ts";

const bytesOf = (frame: ControlFrame): string => Buffer.from(encodeFrame(frame)).toString("hex");
const hexOf = (text: string): string => Buffer.from(text).toString("hex");

describe("encodeFrame", () => {
  it("writes each frame as the layout says", () => {
    expect(bytesOf({ type: "ping", data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) })).toBe("0009040102030405060708");
    expect(bytesOf({ type: "pong", data: new Uint8Array(8) })).toBe("0009050000000000000000");
    expect(bytesOf({ type: "dial", passes: [new Uint8Array(16).fill(0xaa), new Uint8Array(16).fill(0xbb)] })).toBe(
      `002103${"aa".repeat(16)}${"bb".repeat(16)}`,
    );
    expect(bytesOf({ type: "hello", epoch: 7, version: "1" })).toBe(`001a01${hexOf('{"epoch":7,"version":"1"}')}`);
    expect(bytesOf({ type: "welcome", pingMs: 2000 })).toBe(`001002${hexOf('{"pingMs":2000}')}`);
    expect(bytesOf({ type: "missed", passes: 4 })).toBe(`000d07${hexOf('{"passes":4}')}`);
    expect(bytesOf({ type: "goaway", reason: "draining", detail: "" })).toBe(
      `002406${hexOf('{"reason":"draining","detail":""}')}`.replace("0024", "0022"),
    );
  });
});

const pass = fc.uint8Array({ minLength: passBytes, maxLength: passBytes });
const ping = fc.uint8Array({ minLength: 8, maxLength: 8 });
const frame: fc.Arbitrary<ControlFrame> = fc.oneof(
  fc.record({
    type: fc.constant("hello" as const),
    epoch: fc.integer({ min: 1, max: 2 ** 40 }),
    version: fc.string({ maxLength: 40 }),
  }),
  fc.record({ type: fc.constant("missed" as const), passes: fc.integer({ min: 1, max: 2 ** 30 }) }),
  fc.record({ type: fc.constant("welcome" as const), pingMs: fc.integer({ min: 100, max: 120_000 }) }),
  fc.record({ type: fc.constant("dial" as const), passes: fc.array(pass, { minLength: 1, maxLength: 40 }) }),
  fc.record({ type: fc.constant("ping" as const), data: ping }),
  fc.record({ type: fc.constant("pong" as const), data: ping }),
  fc.record({
    type: fc.constant("goaway" as const),
    reason: fc.constantFrom(...goawayReasons),
    detail: fc.string({ unit: "grapheme", maxLength: 200 }).filter((text) => text.length <= 500),
  }),
);

describe("FrameReader", () => {
  it("reads any frames back, in chunks of any size", () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 6 }),
        (frames, sizes) => {
          const reader = new FrameReader();
          const bytes = Buffer.concat(frames.map(encodeFrame));
          const read: ControlFrame[] = [];
          for (let at = 0, chunk = 0; at < bytes.length; chunk++) {
            const end = at + (sizes[chunk % sizes.length] ?? 1);
            read.push(...reader.push(Uint8Array.from(bytes.subarray(at, end))));
            at = end;
          }
          expect(read).toEqual(frames);
        },
      ),
    );
  });

  it("gives a frame with its last byte, at every split", () => {
    const frames: ControlFrame[] = [
      { type: "hello", epoch: 3, version: "0.1.0" },
      { type: "dial", passes: [new Uint8Array(16).fill(1)] },
      { type: "ping", data: new Uint8Array(8) },
    ];
    const bytes = Buffer.concat(frames.map(encodeFrame));
    const ends = frames.map((_, index) => Buffer.concat(frames.slice(0, index + 1).map(encodeFrame)).length);
    for (let at = 0; at <= bytes.length; at++) {
      const reader = new FrameReader();
      const first = reader.push(bytes.subarray(0, at));
      expect(first).toEqual(frames.slice(0, ends.filter((end) => end <= at).length));
      expect([...first, ...reader.push(bytes.subarray(at))]).toEqual(frames);
    }
  });

  it("keeps no reference to a chunk", () => {
    const reader = new FrameReader();
    const chunk = encodeFrame({ type: "dial", passes: [new Uint8Array(16).fill(7)] });
    const half = Buffer.from(chunk.subarray(0, 9)); // a Buffer, as sockets give them: its slice() is no copy
    expect(reader.push(half)).toEqual([]);
    half.fill(0xff);
    const rest = Buffer.from(chunk.subarray(9));
    const frames = reader.push(rest);
    rest.fill(0xff);
    expect(frames).toEqual([{ type: "dial", passes: [new Uint8Array(16).fill(7)] }]);
  });

  it("takes a frame of the greatest length", () => {
    const passes = Array.from({ length: Math.floor((maxFrameBytes - 1) / passBytes) }, () => new Uint8Array(passBytes));
    expect(new FrameReader().push(encodeFrame({ type: "dial", passes }))).toEqual([{ type: "dial", passes }]);
  });

  const json = (type: number, text: string): Buffer =>
    Buffer.concat([Buffer.of((text.length + 1) >> 8, (text.length + 1) & 0xff, type), Buffer.from(text)]);
  it.each([
    ["no type", Buffer.from("0000ff", "hex")],
    ["32 KiB and a byte", Buffer.from("800104", "hex")],
    ["64 KiB", Buffer.from("ffff04", "hex")],
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\n\r\n".repeat(2000))],
    ["an unknown type", Buffer.from("000107", "hex")],
    ["the type zero", Buffer.from("000100", "hex")],
    ["a ping of 7 bytes", Buffer.from("00080401020304050607", "hex")],
    ["a pong of 9 bytes", Buffer.from("000a05010203040506070809", "hex")],
    ["no pass", Buffer.from("000103", "hex")],
    ["half a pass", Buffer.from("0009030102030405060708", "hex")],
    ["a hello that is no JSON", json(1, "{")],
    ["a hello that is no object", json(1, "[]")],
    ["a hello without an epoch", json(1, '{"version":"1"}')],
    ["the epoch zero", json(1, '{"epoch":0,"version":"1"}')],
    ["half an epoch", json(1, '{"epoch":1.5,"version":"1"}')],
    ["an epoch in words", json(1, '{"epoch":"1","version":"1"}')],
    ["a version of 41 characters", json(1, `{"epoch":1,"version":"${"1".repeat(41)}"}`)],
    ["pings each 99 ms", json(2, '{"pingMs":99}')],
    ["a reason that is none", json(6, '{"reason":"because","detail":""}')],
    ["a detail of 501 characters", json(6, `{"reason":"draining","detail":"${"x".repeat(501)}"}`)],
  ])("refuses %s", (_, bytes) => {
    expect(refusalOf(() => new FrameReader().push(bytes))).toBe("bad-request");
  });

  it("gives frames or a refusal for any bytes, and holds no more than one frame", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }), (chunks) => {
        const reader = new FrameReader();
        expect([undefined, "bad-request"]).toContain(refusalOf(() => chunks.forEach((chunk) => reader.push(chunk))));
      }),
    );
  });
});
