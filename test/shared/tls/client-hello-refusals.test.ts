import { Buffer } from "node:buffer";
import { describe, expect, it } from "vitest";
import { maxClientHelloRawBytes, parseClientHello, type HelloRefusal } from "../../../shared/tls/client-hello.ts";
import type { AlertDescription } from "../../../shared/tls/alert.ts";
import {
  alpn,
  buildHello,
  filler,
  hostName,
  inRecords,
  message,
  record,
  serverNames,
  vector16,
  type Extension,
  type HelloParts,
  type NameEntry,
} from "./build-hello.ts";

const good = buildHello({ extensions: [serverNames(hostName("a.example"))] });
const hex = (text: string): Buffer => Buffer.from(text, "hex");

type Refused = [what: string, bytes: Uint8Array, decidedAt: number, reason: HelloRefusal, alert: AlertDescription];

describe("a header that cannot begin or carry a hello is refused at its first wrong byte", () => {
  const longRecords = Buffer.concat([
    message(1, Buffer.alloc(65_000)).subarray(0, 4),
    Buffer.alloc(maxClientHelloRawBytes),
  ]);
  const table: Refused[] = [
    ["plain HTTP", Buffer.from("GET / HTTP/1.1\r\n\r\n"), 1, "http", "unexpected_message"],
    ["the HTTP/2 preface", Buffer.from("PRI * HTTP/2.0\r\n\r\n"), 1, "http", "unexpected_message"],
    ["an SSL 2.0 hello", hex("802e0100020015000000100100800300800600400400800700c0"), 1, "sslv2", "protocol_version"],
    ["an alert", hex("15030100020228"), 1, "alert", "unexpected_message"],
    ["ChangeCipherSpec first", hex("140301000101"), 1, "not-handshake", "unexpected_message"],
    ["application data first", hex("17030300050000000000"), 1, "not-handshake", "unexpected_message"],
    ["a heartbeat first", hex("1803010003014000"), 1, "not-handshake", "unexpected_message"],
    ["a line of SSH", Buffer.from("\x00SSH-2.0"), 1, "not-tls", "unexpected_message"],
    ["lower-case text", Buffer.from("hello\n"), 1, "not-tls", "unexpected_message"],
    ["a zero byte", hex("00"), 1, "not-tls", "unexpected_message"],
    ["a record of major version 2", hex("160200"), 2, "record-version", "protocol_version"],
    ["DTLS", hex("16feff000000000000000000"), 2, "record-version", "protocol_version"],
    ["an empty record", hex("1603010000"), 5, "empty-record", "unexpected_message"],
    [
      "an empty record amid the hello",
      Buffer.concat([record(good.subarray(0, 9)), hex("1603010000")]),
      19,
      "empty-record",
      "unexpected_message",
    ],
    ["a record of 16,640 bytes", hex("1603014100"), 4, "record-too-long", "record_overflow"],
    ["a record of 16,385 bytes", hex("1603014001"), 5, "record-too-long", "record_overflow"],
    [
      "an alert amid the hello",
      Buffer.concat([record(good.subarray(0, 9)), hex("15030100020100")]),
      15,
      "not-handshake",
      "unexpected_message",
    ],
    [
      "data amid the hello",
      Buffer.concat([record(good.subarray(0, 1)), record(good.subarray(1), 0x17)]),
      7,
      "not-handshake",
      "unexpected_message",
    ],
    ["a ServerHello", record(message(2, Buffer.alloc(40))), 6, "not-client-hello", "unexpected_message"],
    ["a HelloRequest", record(message(0, Buffer.alloc(0))), 6, "not-client-hello", "unexpected_message"],
    ["a message of 16 MiB", record(hex("01ffffff0303")), 7, "hello-too-long", "illegal_parameter"],
    ["a message of 64 KiB and a byte", record(hex("0100fffd0303")), 9, "hello-too-long", "illegal_parameter"],
    ["64 KiB in slivers of one byte", inRecords(longRecords, 1), 21_845 * 6 + 5, "hello-too-long", "illegal_parameter"],
  ];
  it.each(table)("parseClientHello refuses %s", (_, bytes, decidedAt, reason, alert) => {
    expect(parseClientHello(bytes.subarray(0, decidedAt - 1))).toEqual({ kind: "incomplete" });
    expect(parseClientHello(bytes.subarray(0, decidedAt))).toEqual({ kind: "refused", reason, alert });
    expect(parseClientHello(bytes)).toEqual({ kind: "refused", reason, alert });
  });
});

describe("a hello whose parts do not fit is refused", () => {
  const named = serverNames(hostName("a.example"));
  const sni = (list: Uint8Array): Extension => ({ type: 0, data: list });
  const table: [what: string, parts: HelloParts][] = [
    ["a session id of 33 bytes", { sessionId: Buffer.alloc(33), extensions: [named] }],
    ["no cipher suites", { cipherSuites: [], extensions: [named] }],
    ["no compression method", { compression: Buffer.alloc(0), extensions: [named] }],
    ["a random cut short", { random: Buffer.alloc(5), extensions: [named] }],
    ["an empty server_name", { extensions: [sni(Buffer.alloc(0))] }],
    ["an empty list of server names", { extensions: [sni(vector16(Buffer.alloc(0)))] }],
    ["an empty server name", { extensions: [serverNames(hostName(""))] }],
    ["a server name longer than its list", { extensions: [sni(hex("0005000009616263"))] }],
    ["a list of server names longer than its extension", { extensions: [sni(hex("00090000036162"))] }],
    ["bytes after the list of server names", { extensions: [sni(hex("000600000361626300"))] }],
    ["half an entry of server names", { extensions: [sni(hex("00020000"))] }],
    ["an empty ALPN", { extensions: [{ type: 16, data: Buffer.alloc(0) }] }],
    ["an empty list of protocols", { extensions: [alpn()] }],
    ["an empty protocol", { extensions: [alpn("h2", "")] }],
    ["a protocol longer than its list", { extensions: [{ type: 16, data: hex("0003096832") }] }],
    ["bytes after the list of protocols", { extensions: [{ type: 16, data: hex("000302683200") }] }],
  ];
  it.each(table)("parseClientHello refuses %s", (_, parts) => {
    expect(parseClientHello(inRecords(buildHello(parts)))).toEqual({
      kind: "refused",
      reason: "malformed",
      alert: "decode_error",
    });
  });

  it("parseClientHello refuses an odd number of bytes of cipher suites", () => {
    const body = Buffer.concat([hex("0303"), Buffer.alloc(32), hex("00"), hex("0003130113"), hex("0100")]);
    expect(parseClientHello(record(message(1, body)))).toMatchObject({ reason: "malformed" });
  });

  it("parseClientHello refuses a hello whose body ends anywhere before its end", () => {
    const answers = new Set<string>();
    const body = good.subarray(4);
    const withoutExtensions = 2 + 32 + 33 + 10 + 2;
    for (let length = 0; length < body.length; length++) {
      if (length === withoutExtensions) continue; // a whole hello of an old client
      const answer = parseClientHello(record(message(1, body.subarray(0, length))));
      answers.add(answer.kind === "refused" ? answer.reason : answer.kind);
    }
    expect([...answers]).toEqual(["malformed"]);
  });

  it("parseClientHello refuses bytes after the extensions", () => {
    const body = Buffer.concat([good.subarray(4), Buffer.of(0)]);
    expect(parseClientHello(record(message(1, body)))).toMatchObject({ reason: "malformed" });
  });

  it.each([0x0300, 0x0200, 0x0002, 0xfefd])("parseClientHello refuses the version %i", (version) => {
    const bytes = inRecords(buildHello({ version, extensions: [named] }));
    expect(parseClientHello(bytes)).toEqual({ kind: "refused", reason: "old-version", alert: "protocol_version" });
  });

  it.each([
    ["server_name", [named, filler(23, 0), named]],
    ["ALPN", [alpn("h2"), named, alpn("h2")]],
    ["an extension that means nothing here", [filler(0x2a2a, 0), named, filler(0x2a2a, 1)]],
  ])("parseClientHello refuses %s twice", (_, extensions) => {
    const answer = parseClientHello(inRecords(buildHello({ extensions })));
    expect(answer).toEqual({ kind: "refused", reason: "duplicate-extension", alert: "illegal_parameter" });
  });
});

describe("server names", () => {
  const read = (...entries: NameEntry[]): unknown =>
    parseClientHello(inRecords(buildHello({ extensions: [serverNames(...entries)] })));
  const labelOf63 = "a".repeat(63);
  const nameOf253 = [labelOf63, labelOf63, labelOf63, "b".repeat(61)].join(".");

  it.each([
    ["ALICE.Example.COM", "alice.example.com"],
    ["localhost", "localhost"],
    ["a", "a"],
    ["xn--bcher-kva.example", "xn--bcher-kva.example"],
    ["a--b.example", "a--b.example"],
    ["1.2.3.4.example", "1.2.3.4.example"],
    [`${labelOf63}.example`, `${labelOf63}.example`],
    [nameOf253, nameOf253],
  ])("parseClientHello takes %s", (sent, expected) => {
    expect(read(hostName(sent))).toEqual({ kind: "hello", serverName: expected, alpn: [] });
  });

  it.each([
    ["a trailing dot", "a.example."],
    ["a leading dot", ".example"],
    ["two dots", "a..example"],
    ["only a dot", "."],
    ["an IPv4 address", "127.0.0.1"],
    ["an IPv4 address of one number", "2130706433"],
    ["an IPv4 address in hexadecimal", "0x7f000001"],
    ["an IPv6 address", "::1"],
    ["a bracketed IPv6 address", "[2001:db8::1]"],
    ["an underscore", "_acme.example"],
    ["a wildcard", "*.example"],
    ["a space", "a b.example"],
    ["a zero byte", "a.example\0.evil"],
    ["a line break", "a.example\n"],
    ["UTF-8", "b\u00c3\u00bccher.example"],
    ["a label that begins with a hyphen", "-a.example"],
    ["a label that ends with a hyphen", "a-.example"],
    ["a label of 64", `a${labelOf63}.example`],
    ["254 characters", `${nameOf253}b`],
    ["60,000 characters", "a.".repeat(30_000)],
  ])("parseClientHello refuses %s", (_, name) => {
    expect(read(hostName(name))).toEqual({
      kind: "refused",
      reason: "invalid-server-name",
      alert: "unrecognized_name",
    });
  });

  it("parseClientHello passes over names of types that nobody has defined", () => {
    const unknown = { type: 7, name: "\x00\xff" };
    expect(read(unknown, hostName("a.example"), unknown)).toMatchObject({ serverName: "a.example" });
    expect(read(unknown)).toEqual({ kind: "hello", serverName: undefined, alpn: [] });
  });

  it("parseClientHello refuses two host names", () => {
    const answer = read(hostName("a.example"), hostName("b.example"));
    expect(answer).toEqual({ kind: "refused", reason: "duplicate-server-name", alert: "illegal_parameter" });
  });
});
