import { describe, expect, it } from "vitest";
import { parseNodeAddress } from "../../../../../tee-bot/attestation/client/observe/parse-address.ts";

describe("the address of a node", () => {
  it.each([
    ["demo.example.net", "demo.example.net", "demo.example.net", "demo.example.net:443"],
    ["Demo.Example.NET:8443", "demo.example.net", "demo.example.net:8443", "demo.example.net:8443"],
    ["https://demo.example.net/v1?x=1", "demo.example.net", "demo.example.net", "demo.example.net:443"],
    ["https://demo.example.net.", "demo.example.net", "demo.example.net.", "demo.example.net:443"],
    ["https://[::1]:8443", "::1", "[::1]:8443", "::1:8443"],
    ["127.0.0.1:8443", "127.0.0.1", "127.0.0.1:8443", "127.0.0.1:8443"],
  ])("%s", (text, hostname, host, to) => {
    const address = parseNodeAddress(text);
    expect([address.hostname, address.host, `${address.to.host}:${address.to.port}`]).toEqual([hostname, host, to]);
  });

  it("leads elsewhere where that is said", () => {
    expect(parseNodeAddress("demo.example.net", "127.0.0.1:8443").to).toEqual({ host: "127.0.0.1", port: 8443 });
    expect(parseNodeAddress("demo.example.net", "[::1]:8443").to).toEqual({ host: "::1", port: 8443 });
    expect(parseNodeAddress("demo.example.net", "relay.example:1").hostname).toBe("demo.example.net");
  });

  it.each([
    "http://demo.example.net",
    "ftp://demo.example.net",
    "https://",
    "",
    "a b",
    "https://user@demo.example.net",
  ])("%s is none", (text) => {
    expect(() => parseNodeAddress(text)).toThrow(/is no address of a node|is not reached over TLS/);
  });

  it.each(["127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", ":443", "::1:443", "http://a:1"])(
    "%s is nowhere to connect to",
    (text) => {
      expect(() => parseNodeAddress("demo.example.net", text)).toThrow("is no host:port");
    },
  );
});
