import { describe, expect, it } from "vitest";
import { formatTarget, parseTarget, type Target } from "../../../tee-bot/expose/target.ts";
import { refusalOf } from "../../shared/refusal.ts";

const accepted: [text: string, target: Target, canonical?: string][] = [
  ["gateway", { kind: "gateway" }],
  ["http://127.0.0.1:3000", { kind: "http", origin: "http://127.0.0.1:3000" }],
  ["http://127.0.0.1:3000/", { kind: "http", origin: "http://127.0.0.1:3000" }, "http://127.0.0.1:3000"],
  ["http://localhost", { kind: "http", origin: "http://localhost" }],
  ["http://localhost:80", { kind: "http", origin: "http://localhost" }, "http://localhost"],
  ["HTTP://LocalHost:3000", { kind: "http", origin: "http://localhost:3000" }, "http://localhost:3000"],
  ["https://[::1]:8443", { kind: "http", origin: "https://[::1]:8443" }],
  ["tls://127.0.0.1:9443", { kind: "tls", host: "127.0.0.1", port: 9443, proxy: false }],
  ["tls://[::1]:9443?proxy=v2", { kind: "tls", host: "::1", port: 9443, proxy: true }],
  ["tls://server.internal:443?proxy=v2", { kind: "tls", host: "server.internal", port: 443, proxy: true }],
];

const refused: [text: string, why: RegExp][] = [
  ["", /not a URL/],
  ["3000", /not a URL/],
  ["localhost:3000", /not a scheme it knows/],
  ["127.0.0.1:3000", /not a URL/],
  ["http://", /not a URL/],
  ["http://127.0.0.1:70000", /not a URL/],
  ["ftp://127.0.0.1", /ftp is not a scheme/],
  ["file:///etc/passwd", /file is not a scheme/],
  ["http://user:secret@127.0.0.1:3000", /credentials/],
  ["http://127.0.0.1:3000/app", /path/],
  ["http://127.0.0.1:3000/#top", /path/],
  ["http://127.0.0.1:3000/?a=b", /query/],
  ["tls://127.0.0.1", /port is missing/],
  ["tls://:9443", /not a URL|host is missing/],
  ["tls://127.0.0.1:0", /port/],
  ["http://127.0.0.1:0", /port/],
  ["tls://127.0.0.1:9443?proxy=v1", /only option/],
  ["tls://127.0.0.1:9443/path", /path/],
];

describe("a target", () => {
  it.each(accepted)("%s is read, and written as it was read", (text, target, canonical = text) => {
    expect(parseTarget(text)).toEqual(target);
    expect(formatTarget(target)).toBe(canonical);
    expect(parseTarget(formatTarget(target))).toEqual(target);
  });

  it.each(refused)("«%s» is refused with the reason and what to give instead", (text, why) => {
    expect(refusalOf(() => parseTarget(text))).toBe("bad-request");
    expect(() => parseTarget(text)).toThrow(why);
    expect(() => parseTarget(text)).toThrow(/Give gateway, http:/);
  });

  it("with a password is refused without repeating it", () => {
    expect(() => parseTarget("http://user:secret@127.0.0.1:3000")).not.toThrow(/secret/);
  });
});
