import { Packet } from "dns2";
import { assert, property, uint8Array } from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeAnswer, encodeQuery, formatIpv6, type QueryType } from "../../../shared/dns/message.ts";

const name = "_acme-challenge.a.nodes.example.test";

/** An answer as dns2 writes it, which knows nothing of ours. */
function answerOf(records: object[], header: object = {}): Uint8Array {
  const packet = Packet.parse(Buffer.from(encodeQuery(name, "TXT", { id: 7, recurse: true }) ?? []));
  const response = Packet.createResponseFromRequest(packet);
  Object.assign(response.header, { rcode: 0 }, header);
  response.answers = records.map((record) => new Packet.Resource({ name, class: 1, ttl: 60, ...record }));
  return response.toBuffer();
}

describe("a query", () => {
  test.each<[QueryType, number]>([
    ["A", 1],
    ["NS", 2],
    ["TXT", 16],
    ["AAAA", 28],
    ["CAA", 257],
  ])("for %s is read by another implementation as it was meant", (type, code) => {
    const packet = Packet.parse(Buffer.from(encodeQuery(name, type, { id: 0x1234, recurse: true }) ?? []));
    expect(packet.header).toMatchObject({ id: 0x1234, qr: 0, rd: 1 });
    expect(packet.questions).toMatchObject([{ name, type: code, class: 1 }]);
  });

  test("does not ask the zone's own server to ask others", () => {
    const packet = Packet.parse(Buffer.from(encodeQuery(name, "A", { id: 1, recurse: false }) ?? []));
    expect(packet.header.rd).toBe(0);
  });

  test.each(["", ".", "a..b", "a b", "ä.example", `${"x".repeat(64)}.example`, "x.".repeat(130) + "example"])(
    "for %j, which is no name, is not made",
    (text) => {
      expect(encodeQuery(text, "A", { id: 0, recurse: true })).toBeUndefined();
    },
  );
});

describe("an answer", () => {
  test("shows its records as text", () => {
    const answer = decodeAnswer(
      answerOf([
        { type: Packet.TYPE.A, address: "192.0.2.1" },
        { type: Packet.TYPE.AAAA, address: "2001:db8::1" },
        { type: Packet.TYPE.TXT, data: ["in two ", "parts"] },
        { type: Packet.TYPE.CAA, flags: 0, tag: "issue", value: "ca.example; validationmethods=dns-01" },
        { type: Packet.TYPE.NS, ns: "ns1.example.test" },
        { type: Packet.TYPE.CNAME, domain: "Other.Example.Test" },
        { type: Packet.TYPE.MX, exchange: "mail.example.test", priority: 10 },
      ]),
    );
    expect(answer).toMatchObject({ id: 7, rcode: 0 });
    expect(answer?.records.map(({ type, content }) => [type, content])).toEqual([
      ["A", "192.0.2.1"],
      ["AAAA", "2001:db8::1"],
      ["TXT", "in two parts"],
      ["CAA", '0 issue "ca.example; validationmethods=dns-01"'],
      ["NS", "ns1.example.test"],
      ["CNAME", "other.example.test"],
    ]);
    expect(answer?.records[0]).toMatchObject({ name, ttl: 60 });
  });

  test("follows pointers to names that came before", () => {
    // RFC 1035 §4.1.4: question a.test at 12; the answer's name is c00c, its data "ns" and a pointer to "test" (14).
    const bytes = hex("000084000001000100000000 0161 0474657374 00 00020001 c00c 00020001 0000003c 0005 026e73 c00e");
    expect(decodeAnswer(bytes)?.records).toEqual([{ name: "a.test", type: "NS", ttl: 60, content: "ns.test" }]);
  });

  test.each([
    ["a pointer to itself", "000084000000000100000000 c00c 00010001 0000003c 0004 c0000201"],
    ["a pointer ahead", "000084000000000100000000 c020 00010001 0000003c 0004 c0000201"],
    ["a pointer into the header", "000084000000000100000000 c002 00010001 0000003c 0004 c0000201"],
    ["a label of a reserved kind", "000084000000000100000000 80 00010001 0000003c 0004 c0000201"],
    ["an address of five bytes", "000084000000000100000000 00 00010001 0000003c 0005 c000020101"],
    ["a string longer than its record", "000084000000000100000000 00 00100001 0000003c 0003 056162"],
    ["a record longer than the message", "000084000000000100000000 00 00010001 0000003c 0400 c0000201"],
    ["fewer records than it says", "000084000000000200000000 00 00010001 0000003c 0004 c0000201"],
    ["the flag of a question", "000004000000000100000000 00 00010001 0000003c 0004 c0000201"],
    ["the flag of a cut answer", "000086000000000100000000 00 00010001 0000003c 0004 c0000201"],
    ["nothing", ""],
  ])("with %s is none", (_, bytes) => {
    expect(decodeAnswer(hex(bytes))).toBeUndefined();
  });

  test("of a class that is not the Internet's is left out", () => {
    expect(decodeAnswer(hex("000084000000000100000000 00 00010003 0000003c 0004 c0000201"))?.records).toEqual([]);
  });

  test("cut at any byte is none", () => {
    const whole = answerOf([{ type: Packet.TYPE.TXT, data: ["text"] }]);
    expect(decodeAnswer(whole)).toBeDefined();
    for (let length = 0; length < whole.length; length++)
      expect(decodeAnswer(whole.subarray(0, length))).toBeUndefined();
  });

  test("of any bytes is read without an error, and soon", () => {
    const header = hex("000084000001000400000000");
    assert(
      property(uint8Array({ maxLength: 300 }), (bytes) => {
        decodeAnswer(bytes);
        decodeAnswer(Uint8Array.of(...header, ...bytes));
      }),
      { numRuns: 2_000 },
    );
  });
});

test.each([
  ["20010db8000000000000000000000001", "2001:db8::1"],
  ["00000000000000000000000000000000", "::"],
  ["00000000000000000000000000000001", "::1"],
  ["20010db8000000000001000000000000", "2001:db8:0:0:1::"],
  ["20010db8000100010001000100010001", "2001:db8:1:1:1:1:1:1"],
  ["20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1"],
])("the address %s is written %s", (bytes, text) => {
  const groups = bytes.match(/.{4}/g) ?? [];
  expect(formatIpv6(groups.map((group) => Number.parseInt(group, 16)))).toBe(text);
});

function hex(text: string): Uint8Array {
  return Uint8Array.from(text.replaceAll(" ", "").match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}
