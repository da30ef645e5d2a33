import { describe, expect, it } from "vitest";
import { requestHeaders, responseHeaders } from "../../../tee-bot/expose/forwarded.ts";

/** The flat list as pairs. */
function pairs(list: readonly string[]): [string, string][] {
  return Array.from({ length: list.length / 2 }, (_, at) => [list[2 * at] ?? "", list[2 * at + 1] ?? ""]);
}
function sent(headers: Parameters<typeof requestHeaders>[0], client = "203.0.113.9"): Record<string, string> {
  return Object.fromEntries(pairs(requestHeaders(headers, client)));
}

describe("headers of a request on its way to the service", () => {
  it("keep what belongs to the message", () => {
    const headers = { host: "a.test", "user-agent": "curl", authorization: "Bearer 1", cookie: "a=1; b=2" };
    expect(sent(headers)).toMatchObject(headers);
  });

  it("lose what belongs to the connection, whatever RFC 9110 or the Connection header names", () => {
    const names = Object.keys(
      sent({
        host: "a.test",
        connection: "close, X-Secret-Hop , keep-alive",
        "x-secret-hop": "1",
        "keep-alive": "timeout=5",
        "proxy-authenticate": "Basic",
        "proxy-authorization": "Basic abc",
        "proxy-connection": "keep-alive",
        te: "trailers",
        trailer: "x-sum",
        "transfer-encoding": "chunked",
        upgrade: "h2c",
        "http2-settings": "AAMAAABkAAQAoAAAAAIAAAAA",
        expect: "100-continue",
        "x-kept": "1",
      }),
    );
    expect(names).toEqual(["host", "x-kept", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded"]);
  });

  it("cannot be made to lose the host or the address by naming them in Connection", () => {
    const headers = sent({ host: "a.test", connection: "host, x-forwarded-for, forwarded" });
    expect(headers).toMatchObject({ host: "a.test", "x-forwarded-for": "203.0.113.9" });
    expect(headers["forwarded"]).toContain("for=203.0.113.9");
  });

  it.each([
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-ssl",
    "x-forwarded-anything",
    "x_forwarded_for",
    "x_forwarded-prefix",
    "x-real-ip",
    "x_real_ip",
  ])("never carry the visitor's own %s", (name) => {
    const list = pairs(requestHeaders({ host: "a.test", [name]: "6.6.6.6" }, "203.0.113.9"));
    expect(list.filter(([, value]) => value.includes("6.6.6.6"))).toEqual([]);
    const names = list.map(([one]) => one);
    expect(new Set(names).size).toBe(names.length);
  });

  it("quote and bracket an IPv6 address in Forwarded only, as RFC 7239 §6 says", () => {
    const headers = sent({ host: "a.test" }, "2001:db8::1");
    expect(headers["x-forwarded-for"]).toBe("2001:db8::1");
    expect(headers["forwarded"]).toBe('for="[2001:db8::1]";host="a.test";proto=https');
  });

  it("cannot break out of the quotes of Forwarded", () => {
    expect(sent({ host: 'a.test";for=6.6.6.6;x="\\' })["forwarded"]).toBe(
      'for=203.0.113.9;host="a.test;for=6.6.6.6;x=";proto=https',
    );
  });

  it("take the host from HTTP/2's :authority and drop every pseudo-header", () => {
    const headers = { ":method": "GET", ":path": "/", ":scheme": "https", ":authority": "a.test:8443" };
    expect(Object.keys(sent(headers)).filter((name) => name.startsWith(":"))).toEqual([]);
    expect(sent(headers)).toMatchObject({ host: "a.test:8443", "x-forwarded-host": "a.test:8443" });
  });

  it("believe :authority rather than a Host header beside it (RFC 9113 §8.3.1)", () => {
    expect(sent({ ":authority": "a.test", host: "b.test" })["host"]).toBe("a.test");
  });

  it("keep each value of a header that came several times", () => {
    const list = pairs(requestHeaders({ host: "a.test", "set-cookie": ["a=1", "b=2"] }, "203.0.113.9"));
    expect(list.filter(([name]) => name === "set-cookie").map(([, value]) => value)).toEqual(["a=1", "b=2"]);
  });
});

describe("headers of an answer on its way to the visitor", () => {
  it("lose what belongs to the connection and keep the rest, each value of it", () => {
    const headers = {
      connection: ["close", "X-Hop"],
      "x-hop": "1",
      "keep-alive": "timeout=5",
      "transfer-encoding": "chunked",
      upgrade: "h2c",
      trailer: "x-sum",
      "content-type": "text/plain",
      "set-cookie": ["a=1", "b=2"],
      absent: undefined,
    };
    expect(responseHeaders(headers, 1)).toEqual({ "content-type": "text/plain", "set-cookie": ["a=1", "b=2"] });
  });

  it("are said once where HTTP/2 allows no more, and cookies each by itself", () => {
    const headers = { date: ["a", "b"], vary: ["x", "y"], "set-cookie": ["a=1", "b=2"] };
    expect(responseHeaders(headers, 1)).toEqual(headers);
    expect(responseHeaders(headers, 2)).toEqual({ date: "a, b", vary: "x, y", "set-cookie": ["a=1", "b=2"] });
  });
});
