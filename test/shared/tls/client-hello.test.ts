import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ClientHelloReader,
  maxClientHelloBytes,
  maxClientHelloRawBytes,
  parseClientHello,
  type ParsedClientHello,
} from "../../../shared/tls/client-hello.ts";
import { readClientHellos } from "../../vectors/client-hellos.ts";
import { alpn, buildHello, filler, hostName, inRecords, outOfRecords, serverNames } from "./build-hello.ts";

const vectors = readClientHellos();

describe.each(vectors)("the recorded hello $file", ({ bytes, serverName, alpn: protocols }) => {
  const expected = { kind: "hello", serverName: serverName ?? undefined, alpn: protocols };
  const answer = JSON.stringify(expected);

  it("is read whole", () => {
    expect(parseClientHello(bytes)).toEqual(expected);
  });

  it("is read with what the client sends after it", () => {
    expect(parseClientHello(Buffer.concat([bytes, Buffer.from("1603030001ff", "hex")]))).toEqual(expected);
  });

  it("is incomplete until its last byte, at every split into two", () => {
    const wrong: number[] = [];
    for (let at = 0; at < bytes.length; at++) {
      const [before, after] = pushAll([bytes.subarray(0, at), bytes.subarray(at)]);
      if (before?.kind !== "incomplete" || JSON.stringify(after) !== answer) wrong.push(at);
    }
    expect(wrong).toEqual([]);
  });

  it("is read byte by byte", () => {
    const answers = pushAll([...bytes].map((byte) => Uint8Array.of(byte)));
    expect(answers.slice(0, -1).every(({ kind }) => kind === "incomplete")).toBe(true);
    expect(answers.at(-1)).toEqual(expected);
  });

  it.each([1, 2, 3, 4, 5, 7, 64, 200, 1200])("is read in records of %d bytes, at many splits", (fragmentBytes) => {
    const cut = inRecords(outOfRecords(bytes), fragmentBytes);
    const stride = Math.max(1, Math.floor(cut.length / 250));
    const wrong: number[] = [];
    for (let at = 0; at < cut.length; at += stride) {
      const [before, after] = pushAll([cut.subarray(0, at), cut.subarray(at)]);
      if (before?.kind !== "incomplete" || JSON.stringify(after) !== answer) wrong.push(at);
    }
    expect(wrong).toEqual([]);
  });
});

describe("the vectors", () => {
  it("are of many makers, with post-quantum sizes, long ones and fragmented ones among them", () => {
    expect(vectors.length).toBeGreaterThanOrEqual(15);
    const sizes = vectors.map(({ bytes }) => outOfRecords(bytes).length);
    expect(sizes.filter((size) => size > 1500 && size < 2500).length).toBeGreaterThanOrEqual(3);
    expect(Math.max(...sizes)).toBeGreaterThan(5000);
  });
});

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
const name = fc
  .tuple(fc.array(label, { maxLength: 6 }), fc.stringMatching(/^[a-z]{2,12}$/))
  .map(([labels, last]) => [...labels, last].join("."));
const upperCased = fc.tuple(name, fc.boolean()).map(([text, upper]) => (upper ? text.toUpperCase() : text));
const protocol = fc.string({
  minLength: 1,
  maxLength: 30,
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
});
const otherExtension = fc.record({
  type: fc.integer({ min: 17, max: 0xffff }),
  data: fc.uint8Array({ maxLength: 1500 }),
});

const generatedHello = fc
  .record({
    serverName: fc.option(upperCased, { nil: undefined }),
    protocols: fc.array(protocol, { maxLength: 5 }),
    others: fc.uniqueArray(otherExtension, { selector: ({ type }) => type, maxLength: 8 }),
    namesLast: fc.boolean(),
    sessionId: fc.uint8Array({ maxLength: 32 }),
    random: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  })
  .map(({ serverName, protocols, others, namesLast, sessionId, random }) => {
    const named = [
      ...(serverName === undefined ? [] : [serverNames(hostName(serverName))]),
      ...(protocols.length === 0 ? [] : [alpn(...protocols)]),
    ];
    const extensions = namesLast ? [...others, ...named] : [...named, ...others];
    return {
      bytes: buildHello({ random, sessionId, extensions }),
      expected: { kind: "hello", serverName: serverName?.toLowerCase(), alpn: protocols },
    };
  });

describe("parseClientHello", () => {
  it("finds what a generated hello was given, in records and chunks of any size", () => {
    fc.assert(
      fc.property(
        generatedHello,
        fc.integer({ min: 1, max: 16_384 }),
        fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 10 }),
        ({ bytes, expected }, fragmentBytes, chunkBytes) => {
          fc.pre(bytes.length * (1 + 5 / fragmentBytes) < maxClientHelloRawBytes);
          const answers = pushAll(chunksOf(inRecords(bytes, fragmentBytes), chunkBytes));
          expect(answers.at(-1)).toEqual(expected);
          expect(answers.findIndex(({ kind }) => kind !== "incomplete")).toBe(answers.length - 1);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("never throws, and answers the same for every cut, whatever the bytes", () => {
    const recorded = fc.constantFrom(...vectors.map(({ bytes }) => bytes));
    const mutated = fc
      .tuple(recorded, fc.array(fc.tuple(fc.nat(6000), fc.nat(255)), { minLength: 1, maxLength: 6 }))
      .map(([bytes, changes]) => {
        const copy = Buffer.from(bytes);
        for (const [at, byte] of changes) copy[at % copy.length] = byte;
        return copy;
      });
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated),
        fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 8 }),
        (bytes, chunkBytes) => {
          const whole = parseClientHello(bytes);
          expect(["hello", "incomplete", "refused"]).toContain(whole.kind);
          expect(pushAll(chunksOf(bytes, chunkBytes)).at(-1) ?? { kind: "incomplete" }).toEqual(whole);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("takes a message of 64 KiB and not a byte more", () => {
    const named = serverNames(hostName("a.example"));
    const empty = buildHello({ extensions: [named, filler(1000, 0)] }).length;
    const longest = buildHello({ extensions: [named, filler(1000, maxClientHelloBytes - empty)] });
    expect(longest.length).toBe(maxClientHelloBytes);
    expect(parseClientHello(inRecords(longest))).toMatchObject({ kind: "hello", serverName: "a.example" });
  });
});

describe("ClientHelloReader", () => {
  const hello = buildHello({ extensions: [serverNames(hostName("a.example")), filler(1000, 5000)] });

  it.each([1, 3, 100, 16_384])("looks at each byte once when records have %d bytes", (fragmentBytes) => {
    const bytes = inRecords(hello, fragmentBytes);
    for (const chunkBytes of [1, 2, 7, 536, 1460, bytes.length]) {
      const looks = { count: 0 };
      const reader = new ClientHelloReader();
      let answer: ParsedClientHello = { kind: "incomplete" };
      for (const chunk of chunksOf(bytes, [chunkBytes])) answer = reader.push(counted(chunk, looks));
      expect(answer.kind).toBe("hello");
      expect(looks.count).toBe(bytes.length);
    }
  });

  it("keeps no reference to a chunk, so that its memory may be used again", () => {
    const reader = new ClientHelloReader();
    const bytes = inRecords(hello);
    for (const chunk of chunksOf(bytes, [700])) {
      const scratch = Uint8Array.from(chunk);
      const answer = reader.push(scratch);
      scratch.fill(0xff);
      if (answer.kind !== "incomplete") expect(answer).toMatchObject({ serverName: "a.example" });
    }
    expect(reader.push(new Uint8Array(0)).kind).toBe("hello");
  });

  it("stays with its answer when more bytes come", () => {
    const reader = new ClientHelloReader();
    const refused = reader.push(Buffer.from("GET / HTTP/1.1\r\n"));
    expect(reader.push(inRecords(hello))).toBe(refused);
  });

  it("spends little memory on hellos that are only promised", () => {
    const promise = Buffer.from("16030140000100fff00303", "hex"); // record header, message header, version
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 2000 }, () => new ClientHelloReader());
    for (const reader of readers) expect(reader.push(promise).kind).toBe("incomplete");
    expect((process.memoryUsage().arrayBuffers - before) / readers.length).toBeLessThan(4096);
  });
});

function pushAll(chunks: readonly Uint8Array[]): ParsedClientHello[] {
  const reader = new ClientHelloReader();
  return chunks.map((chunk) => reader.push(chunk));
}

/** Cuts the bytes into chunks of the given sizes, which are repeated as needed. */
function chunksOf(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += chunks.at(-1)?.length ?? 1)
    chunks.push(bytes.subarray(at, at + (sizes[chunks.length % sizes.length] ?? 1)));
  return chunks;
}

/** The bytes behind a proxy that counts each element read. */
function counted(bytes: Uint8Array, looks: { count: number }): Uint8Array {
  return new Proxy(bytes, {
    get(target, key) {
      if (typeof key === "string" && /^\d+$/.test(key)) looks.count++;
      if (key === "subarray") return (start: number, end: number) => counted(target.subarray(start, end), looks);
      return Reflect.get(target, key, target) as unknown;
    },
  });
}
