import { Buffer } from "node:buffer";
import { BlockList, isIPv4, isIPv6 } from "node:net";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeProxyHeader, maxProxyHeaderBytes, parseProxyHeader } from "../../../shared/tunnel/proxy-header.ts";

/** proxy-protocol.txt §2.2: `\x0D\x0A\x0D\x0A\x00\x0D\x0A\x51\x55\x49\x54\x0A`, then version and command. */
const start = "0d0a0d0a000d0a515549540a21";
const v4 = Buffer.from(`${start}11000cc0a8010ac0000201d43101bb`, "hex");
const v4Addresses = {
  sourceAddress: "192.168.1.10",
  sourcePort: 54_321,
  destinationAddress: "192.0.2.1",
  destinationPort: 443,
};
const v6 = Buffer.from(`${start}21002420010db800000000000000000000000120010db8000000010000000000000002ffff0050`, "hex");
const v6Addresses = {
  sourceAddress: "2001:db8::1",
  sourcePort: 65_535,
  destinationAddress: "2001:db8:0:1::2",
  destinationPort: 80,
};

describe("encodeProxyHeader", () => {
  it("writes IPv4 and IPv6 as the specification does", () => {
    expect(Buffer.from(encodeProxyHeader(v4Addresses))).toEqual(v4);
    expect(Buffer.from(encodeProxyHeader(v6Addresses))).toEqual(v6);
  });

  it("writes what a dual-stack socket reports of an IPv4 visitor as IPv4", () => {
    const mapped = { ...v4Addresses, sourceAddress: "::ffff:192.168.1.10", destinationAddress: "::FFFF:192.0.2.1" };
    expect(Buffer.from(encodeProxyHeader(mapped))).toEqual(v4);
  });

  it("writes two families as IPv6, IPv4 mapped", () => {
    const bytes = encodeProxyHeader({ ...v4Addresses, destinationAddress: "::1" });
    expect(parseProxyHeader(bytes)).toMatchObject({
      addresses: { sourceAddress: "::ffff:c0a8:10a", destinationAddress: "::1" },
    });
  });

  it("leaves out the zone of a link-local address", () => {
    const bytes = encodeProxyHeader({ ...v6Addresses, sourceAddress: "fe80::1%eth0" });
    expect(parseProxyHeader(bytes)).toMatchObject({ addresses: { sourceAddress: "fe80::1" } });
  });
});

describe("parseProxyHeader", () => {
  it("reads IPv4 and IPv6, and leaves what follows", () => {
    const tail = Buffer.from("160301", "hex");
    expect(parseProxyHeader(Buffer.concat([v4, tail]))).toEqual({ kind: "header", addresses: v4Addresses, length: 28 });
    expect(parseProxyHeader(Buffer.concat([v6, tail]))).toEqual({ kind: "header", addresses: v6Addresses, length: 52 });
  });

  it("is incomplete until the last byte", () => {
    for (const bytes of [v4, v6])
      for (let length = 0; length < bytes.length; length++)
        expect(parseProxyHeader(bytes.subarray(0, length))).toEqual({ kind: "incomplete" });
  });

  it("passes over TLVs", () => {
    const alpn = Buffer.from("0100026832", "hex"); // PP2_TYPE_ALPN "h2"
    const bytes = Buffer.concat([v4, alpn, Buffer.from("tail")]);
    bytes.writeUInt16BE(12 + alpn.length, 14);
    expect(parseProxyHeader(bytes)).toEqual({ kind: "header", addresses: v4Addresses, length: 33 });
  });

  const changed = (at: number, byte: number): Buffer => {
    const bytes = Buffer.from(v4);
    bytes[at] = byte;
    return bytes;
  };
  it.each([
    ["version 1", Buffer.from("PROXY TCP4 192.168.1.10 192.0.2.1 54321 443\r\n")],
    ["a ClientHello", Buffer.from("160301020001000001fc0303", "hex")],
    ["a wrong byte of the signature", changed(11, 0x0b)],
    ["version 3", changed(12, 0x31)],
    ["the command LOCAL", changed(12, 0x20)],
    ["UDP", changed(13, 0x12)],
    ["a Unix socket", changed(13, 0x31)],
    ["no family", changed(13, 0x00)],
    ["addresses cut short", changed(15, 11)],
    ["no addresses", changed(15, 0)],
    ["IPv6 with the length of IPv4", changed(13, 0x21)],
    ["a header of 64 KiB", changed(14, 0xff)],
  ])("refuses %s", (_, bytes) => {
    expect(parseProxyHeader(bytes).kind).toBe("refused");
  });

  it("takes a header of 536 bytes and not one more", () => {
    const longest = Buffer.concat([v4, Buffer.alloc(maxProxyHeaderBytes - v4.length)]);
    longest.writeUInt16BE(maxProxyHeaderBytes - 16, 14);
    expect(parseProxyHeader(longest)).toMatchObject({ kind: "header", length: maxProxyHeaderBytes });
    longest.writeUInt16BE(maxProxyHeaderBytes - 15, 14);
    expect(parseProxyHeader(longest).kind).toBe("refused");
  });

  it("reads back what was written for any addresses, as Node's own address parser sees them", () => {
    const port = fc.integer({ min: 0, max: 65_535 });
    fc.assert(
      fc.property(
        fc.oneof(fc.tuple(fc.ipV4(), fc.ipV4()), fc.tuple(fc.ipV6(), fc.ipV6())),
        port,
        port,
        (ips, from, to) => {
          const [sourceAddress, destinationAddress] = ips;
          const bytes = encodeProxyHeader({ sourceAddress, sourcePort: from, destinationAddress, destinationPort: to });
          const parsed = parseProxyHeader(bytes);
          if (parsed.kind !== "header") throw new Error(parsed.kind);
          expect(parsed).toMatchObject({ length: bytes.length, addresses: { sourcePort: from, destinationPort: to } });
          expect(sameAddress(parsed.addresses.sourceAddress, sourceAddress)).toBe(true);
          expect(sameAddress(parsed.addresses.destinationAddress, destinationAddress)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("writes IPv6 as RFC 5952 does, like URL", () => {
    const groups = fc.array(fc.constantFrom(0, 0, 0, 1, 0xab, 0xffff), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(groups, (values) => {
        const text = values.map((value) => value.toString(16)).join(":");
        const bytes = encodeProxyHeader({ ...v6Addresses, sourceAddress: text });
        const parsed = parseProxyHeader(bytes);
        expect(parsed).toMatchObject({
          addresses: { sourceAddress: new URL(`http://[${text}]/`).hostname.slice(1, -1) },
        });
      }),
    );
  });

  it("has an answer for any bytes", () => {
    const almost = fc.uint8Array({ maxLength: 60 }).map((noise) => Buffer.concat([Buffer.from(start, "hex"), noise]));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), almost), (bytes) => {
        expect(["header", "incomplete", "refused"]).toContain(parseProxyHeader(bytes).kind);
      }),
    );
  });
});

function sameAddress(a: string, b: string): boolean {
  const list = new BlockList();
  const family = (text: string): "ipv4" | "ipv6" => (isIPv4(text) ? "ipv4" : "ipv6");
  if (!isIPv4(a) && !isIPv6(a)) return false;
  list.addAddress(a, family(a));
  return list.check(b, family(b));
}
