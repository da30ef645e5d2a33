import { chmodSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Sensitive } from "../../../../shared/sensitive.ts";
import { hookUrl, isAuthorized, readOrCreateHookSecret } from "../../../../tee-bot/bot/receive/credential.ts";
import { temporaryFolder } from "../../../shared/temporary-folder.ts";

describe("the password of the webhook", () => {
  it("is made once, long and for its owner only, and is read afterwards", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "signal", "hook.secret");
    const secret = readOrCreateHookSecret(path).reveal();
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readOrCreateHookSecret(path).reveal()).toBe(secret);
    expect(readFileSync(path, "utf8")).toBe(`${secret}\n`);
    chmodSync(path, 0o644);
    expect(() => readOrCreateHookSecret(path)).toThrow("chmod 600");
  });

  it("is in the URL as Go reads it from there, whatever characters it has", () => {
    const printable = fc.string({
      unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCodePoint(code)),
    });
    fc.assert(
      fc.property(printable, (text) => {
        const secret = new Sensitive(`16-characters-at-least${text}`);
        const url = new URL(hookUrl(secret, new URL("http://127.0.0.1:8146")).reveal());
        expect(url.pathname).toBe("/hooks/signal");
        // net/url: user and password are percent-decoded; net/http makes Basic authentication of them
        const header = Buffer.from(`${url.username}:${decodeURIComponent(url.password)}`).toString("base64");
        expect(isAuthorized(`Basic ${header}`, secret)).toBe(true);
        expect(isAuthorized(`Basic ${header}`, new Sensitive(`${secret.reveal()}x`))).toBe(false);
      }),
    );
  });

  it("is missing from whatever else a header says", () => {
    const secret = new Sensitive("16-characters-at-least");
    fc.assert(fc.property(fc.option(fc.string()), (header) => !isAuthorized(header ?? undefined, secret)));
  });
});
