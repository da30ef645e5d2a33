import decodeQr from "qr/decode.js";
import { describe, expect, it } from "vitest";
import { drawQrCode } from "../../tee-bot/cli/qr-code.ts";
import { linkUri, startAccountServer } from "../support/account-server.ts";
import { postern } from "./run.ts";

const number = "+15550000001";

describe("postern signal link", () => {
  it("draws a code that says the address, and ends when the telephone has scanned it", async () => {
    await using server = await startAccountServer();
    const linked = postern("signal", "link", "--api", server.url, "--name", "My bot");
    const look = setInterval(() => {
      if (server.calls.some(({ path }) => path.startsWith("/v1/qrcodelink"))) server.numbers = [number];
    }, 20);
    const { code, stdout } = await linked;
    clearInterval(look);
    expect(code).toBe(0);
    expect(readDrawing(stdout)).toBe(linkUri);
    expect(stdout).toContain("Linked devices");
    expect(stdout).toContain(`signal.account: "${number}"`);
  });

  it("says what to do without a REST server, and without one that answers", async () => {
    const none = await postern("signal", "link", "--state", "/nonexistent");
    expect(none.code).toBe(1);
    expect(none.stderr).toContain("signal.api");
    const gone = await postern("signal", "link", "--api", "http://127.0.0.1:1");
    expect(gone.code).toBe(1);
    expect(gone.stderr).toMatch(/cannot be reached[\s\S]*do: +Start it/);
  });
});

describe("postern signal register", () => {
  it("has a code sent, then finishes with it: profile, hidden number, username", async () => {
    await using server = await startAccountServer();
    const first = await postern("signal", "register", "+1 555 000-0001", "--api", server.url);
    expect(first.stdout).toContain(`postern signal register ${number} --code 123456`);
    const flags = ["--api", server.url, "--code", "123-456", "--username", "postern"];
    const second = await postern("signal", "register", number, ...flags);
    expect(second.code).toBe(0);
    expect(second.stdout).toContain("postern.42");
    expect(server.calls.map(({ path }) => path)).toEqual([
      `/v1/register/${number}`,
      `/v1/register/${number}/verify/123456`,
      `/v1/profiles/${number}`,
      `/v1/accounts/${number}/settings`,
      `/v1/accounts/${number}/username`,
    ]);
  });

  it("explains a captcha that Signal wants", async () => {
    await using server = await startAccountServer();
    server.refusals.set(`/v1/register/${number}`, { status: 400, body: '{"error":"Captcha required \\u001b[2J"}' });
    const { code, stderr } = await postern("signal", "register", number, "--api", server.url);
    expect(code).toBe(1);
    expect(stderr).toContain("https://signalcaptchas.org/registration/generate.html");
    expect(stderr).not.toContain("\u001b[2J");
  });

  it("keeps the account when only its profile fails", async () => {
    await using server = await startAccountServer();
    server.refusals.set(`/v1/profiles/${number}`, { status: 400, body: '{"error":"no network"}' });
    const { code, stdout } = await postern("signal", "register", number, "--api", server.url, "--code", "123456");
    expect(code).toBe(1);
    expect(stdout).toContain(`Registered: ${number}`);
    expect(stdout).toContain("not yet: the profile is set");
    expect(server.calls.at(-1)?.path).toBe(`/v1/accounts/${number}/settings`);
  });

  it.each([
    ["0555", [], "no number with its country"],
    [number, ["--captcha", "https://x"], "whole link"],
    [number, ["--code", "abc"], "six digits"],
  ])("refuses %s %j without a call", async (who, flags, words) => {
    await using server = await startAccountServer();
    const { code, stderr } = await postern("signal", "register", who, "--api", server.url, ...flags);
    expect(code).toBe(1);
    expect(stderr).toContain(words);
    expect(server.calls).toEqual([]);
  });
});

describe("postern signal challenge", () => {
  const solved = "signalcaptcha://signal-hcaptcha.abcdef.challenge.token";

  it("answers for the only account there is", async () => {
    await using server = await startAccountServer();
    server.numbers = [number];
    const { code } = await postern("signal", "challenge", "the-token", solved, "--api", server.url);
    expect(code).toBe(0);
    expect(server.calls.at(-1)).toEqual({
      method: "POST",
      path: `/v1/accounts/${number}/rate-limit-challenge`,
      body: { challenge_token: "the-token", captcha: solved },
    });
  });

  it("refuses a captcha for registering, of which Signal would not say that it is the wrong one", async () => {
    await using server = await startAccountServer();
    const wrong = "signalcaptcha://signal-hcaptcha.abcdef.registration.token";
    const { stderr } = await postern("signal", "challenge", "the-token", wrong, "--api", server.url);
    expect(stderr).toContain("https://signalcaptchas.org/challenge/generate.html");
    expect(server.calls).toEqual([]);
  });

  it("asks which account is meant when there are two", async () => {
    await using server = await startAccountServer();
    server.numbers = [number, "+15550000002"];
    const { stderr } = await postern("signal", "challenge", "the-token", solved, "--api", server.url);
    expect(stderr).toContain("signal.account");
  });
});

describe("a QR code in a terminal", () => {
  it.each([false, true])("can be read from what is printed (colour: %s)", (color) => {
    for (const text of [linkUri, "x", "a".repeat(300)]) expect(readDrawing(drawQrCode(text, color))).toBe(text);
  });
});

/** Reads half blocks back into modules, and these by the decoder of the library. */
function readDrawing(text: string): string {
  // oxlint-disable-next-line no-control-regex
  const lines = text.replaceAll(/\u001b\[[\d;]*m/g, "").split("\n");
  const width = Math.max(...lines.filter((line) => /^[ ▀▄█]{21,}$/.test(line)).map(({ length }) => length));
  const drawn = lines.filter((line) => line.length === width && /^[ ▀▄█]+$/.test(line));
  const modules = drawn.flatMap((line) => [
    line.split("").map((one) => one === "█" || one === "▀"),
    line.split("").map((one) => one === "█" || one === "▄"),
  ]);
  const scale = 4;
  const size = width * scale;
  const height = modules.length * scale;
  const data = new Uint8Array(size * height * 4).fill(255);
  modules.forEach((row, y) =>
    row.forEach((dark, x) => {
      if (!dark) return;
      for (let dy = 0; dy < scale; dy++)
        for (let dx = 0; dx < scale; dx++)
          data.fill(
            0,
            ((y * scale + dy) * size + x * scale + dx) * 4,
            ((y * scale + dy) * size + x * scale + dx) * 4 + 3,
          );
    }),
  );
  return decodeQr({ width: size, height, data });
}
