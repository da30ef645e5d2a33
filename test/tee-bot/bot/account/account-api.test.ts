import { describe, expect, it } from "vitest";
import { openAccountApi } from "../../../../tee-bot/bot/account/account-api.ts";
import { AccountError } from "../../../../tee-bot/bot/account/account-error.ts";
import { linkUri, startAccountServer, type AccountServer } from "../../../support/account-server.ts";

const number = "+15550000001";
const signal = new AbortController().signal;
const open = ({ url }: AccountServer) => openAccountApi(`${url}/`, signal);

describe("the account calls", () => {
  it("read who the REST server is, its accounts and how it trusts", async () => {
    await using server = await startAccountServer();
    server.numbers = [number];
    expect(await open(server).about()).toEqual({ mode: "json-rpc", version: "0.100" });
    expect(await open(server).accounts()).toEqual([number]);
    expect(await open(server).trustMode(number)).toBe("on-first-use");
    expect(await open(server).linkUri("My bot & co")).toBe(linkUri);
    expect(server.calls.at(-1)?.path).toBe("/v1/qrcodelink/raw?device_name=My bot & co");
  });

  it("write what the swagger wants, and nothing else", async () => {
    await using server = await startAccountServer();
    const api = open(server);
    await api.register(number, { byVoice: false });
    await api.register(number, { captcha: "signalcaptcha://x", byVoice: true });
    await api.verify(number, "123456");
    await api.verify(number, "123456", "1357");
    await api.setProfile(number, { name: "Postern", about: "hi" });
    await api.hideNumber(number);
    expect(await api.setUsername(number, "postern")).toBe("postern.42");
    await api.answerChallenge(number, "token", "signalcaptcha://x");
    expect(server.calls.map(({ method, path, body }) => [method, path, body])).toEqual([
      ["POST", `/v1/register/${number}`, { use_voice: false }],
      ["POST", `/v1/register/${number}`, { captcha: "signalcaptcha://x", use_voice: true }],
      ["POST", `/v1/register/${number}/verify/123456`, {}],
      ["POST", `/v1/register/${number}/verify/123456`, { pin: "1357" }],
      ["PUT", `/v1/profiles/${number}`, { name: "Postern", about: "hi" }],
      ["PUT", `/v1/accounts/${number}/settings`, { discoverable_by_number: false, share_number: false }],
      ["POST", `/v1/accounts/${number}/username`, { username: "postern" }],
      [
        "POST",
        `/v1/accounts/${number}/rate-limit-challenge`,
        { challenge_token: "token", captcha: "signalcaptcha://x" },
      ],
    ]);
  });

  it.each([
    ["refuses", { status: 400, body: '{"error":"Captcha required"}' }, /refused \(400\): Captcha required/],
    ["says no reason", { status: 502, body: "<html>" }, /refused \(502\): it does not say why/],
    ["is something else", { status: 200, body: "<html>" }, /no signal-cli-rest-api/],
    ["says too much", { status: 200, body: `["${"x".repeat(2 ** 20)}"]` }, /larger than allowed/],
    ["redirects", { status: 302, body: "" }, /refused \(302\)/],
  ])("fail with words when the server %s", async (_, refusal, words) => {
    await using server = await startAccountServer();
    server.refusals.set("/v1/accounts", refusal);
    const failure = await open(server)
      .accounts()
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AccountError);
    expect(String(failure)).toMatch(words);
  });

  it("tell a server that is away from one that refuses", async () => {
    const gone = await startAccountServer();
    await gone[Symbol.asyncDispose]();
    await expect(open(gone).accounts()).rejects.toMatchObject({ status: undefined, message: /cannot be reached/ });
  });

  it("end when they are told to stop", async () => {
    await using server = await startAccountServer();
    server.hangs.add("/v1/accounts");
    const stop = new AbortController();
    const asked = openAccountApi(server.url, stop.signal).accounts();
    setTimeout(() => stop.abort(new Error("enough")), 50);
    await expect(asked).rejects.toThrow("enough");
  });
});
