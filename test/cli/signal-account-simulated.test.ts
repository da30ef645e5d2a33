import { describe, expect, it } from "vitest";
import { startSignalSimulator } from "../../tee-bot/bot/simulator/simulator.ts";
import { postern } from "./run.ts";

const number = "+15550000001";
const captcha = "signalcaptcha://signal-hcaptcha.abcdef.registration.token";

interface AccountView {
  registered: boolean;
  code?: string;
  linkUri?: string;
}

describe("the account's commands with the stand-in for Signal", () => {
  it("link the bot as a device, once a telephone has read the code", async () => {
    await using simulator = await startSignalSimulator({ registered: false });
    const linked = postern("signal", "link", "--api", simulator.url);
    await expect.poll(async () => (await look(simulator.url)).linkUri, { timeout: 10_000 }).toBeDefined();
    const { linkUri: uri } = await look(simulator.url);
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ uri });
    expect((await fetch(`${simulator.url}/messages/account/link`, { method: "POST", headers, body })).status).toBe(204);
    const { code, stdout } = await linked;
    expect(stdout).toContain(`Linked: ${number}`);
    expect(code).toBe(0);
  });

  it("register a number with a captcha and the code that was sent, and name it", async () => {
    await using simulator = await startSignalSimulator({ registered: false });
    const api = ["--api", simulator.url];
    expect((await postern("signal", "register", number, ...api)).stderr).toContain("signalcaptchas.org/registration");
    expect((await postern("signal", "register", number, ...api, "--captcha", captcha)).code).toBe(0);
    const { code = "" } = await look(simulator.url);
    const registered = await postern("signal", "register", number, ...api, "--code", code, "--username", "postern");
    expect(registered.stdout).toContain(`Registered: ${number}`);
    expect(registered.stdout).not.toContain("not yet");
    expect(registered.code).toBe(0);
    expect(await look(simulator.url)).toMatchObject({ registered: true });
  });

  it("say that a code is wrong", async () => {
    await using simulator = await startSignalSimulator({ registered: false });
    await postern("signal", "register", number, "--api", simulator.url, "--captcha", captcha);
    const { code, stderr } = await postern("signal", "register", number, "--api", simulator.url, "--code", "000000");
    expect(code).toBe(1);
    expect(stderr).toContain("The REST server refused (400)");
  });
});

async function look(url: string): Promise<AccountView> {
  return (await (await fetch(`${url}/messages/account`)).json()) as AccountView;
}
