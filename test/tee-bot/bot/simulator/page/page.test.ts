import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findPageFile } from "../../../../../tee-bot/bot/simulator/page/page.ts";
import { startSignalSimulator, type SignalSimulator } from "../../../../../tee-bot/bot/simulator/simulator.ts";
import { hasBrowser, startBrowser, type Browser, type Page } from "../../../../support/browser.ts";

const number = "+15550000001";

describe("the files of the page", () => {
  it("are the page, its styles and its scripts, and nothing else", () => {
    expect(findPageFile("/?from=anna")?.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(findPageFile("/page/browser/chat.css")?.headers["content-type"]).toBe("text/css; charset=utf-8");
    for (const path of [
      "/page/",
      "/page/page.ts",
      "/page/browser/tsconfig.json",
      "/page/../page.ts",
      "/page/%2e%2e/x",
      "",
    ])
      expect(findPageFile(path)).toBeUndefined();
  });

  it("have nothing from elsewhere, and let nothing in", () => {
    const { headers, body } = findPageFile("/")!;
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
    expect(headers["content-security-policy"]).not.toContain("unsafe");
    expect(body).not.toMatch(/(src|href)="(?!\/page\/|data:,)/);
  });
});

// Where no Chromium can be installed, the page is not tried.
describe.skipIf(!hasBrowser)("the page in Chromium", () => {
  let browser: Browser;
  let simulator: SignalSimulator;
  let page: Page;

  beforeAll(async () => {
    browser = await startBrowser();
  }, 60_000);
  afterAll(() => browser[Symbol.asyncDispose]());
  beforeEach(async () => {
    simulator = await startSignalSimulator();
    page = await browser.open(simulator.url);
    await page.until(
      "document.querySelector('#link')?.textContent === '' && document.activeElement?.tagName === 'TEXTAREA'",
    );
    return () => simulator[Symbol.asyncDispose]();
  });

  const say = (body: object): Promise<Response> =>
    fetch(`${simulator.url}/v2/send`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ number, recipients: [simulator.person("you").uuid], text_mode: "styled", ...body }),
    });

  it("sends what is typed, and shows the answer in Signal's styles", async () => {
    await page.type("Hello");
    await page.press("Enter");
    await page.until("document.querySelector('li.own .bubble')?.textContent === 'Hello'");
    expect(simulator.conversation().messages).toMatchObject([{ from: "you", text: "Hello" }]);
    await say({ message: "a **bold** *italic* `mono` ~gone~ ||secret|| end" });
    await page.until("document.querySelectorAll('li.theirs').length === 1");
    const runs =
      "[...document.querySelectorAll('li.theirs .bubble > *')].map((one) => [one.className, one.textContent])";
    expect(await page.evaluate(runs)).toEqual([
      ["bold", "bold"],
      ["italic", "italic"],
      ["monospace", "mono"],
      ["strikethrough", "gone"],
      ["spoiler", "secret"],
    ]);
    expect(await page.evaluate("document.querySelector('li.theirs .bubble').textContent")).toBe(
      "a bold italic mono gone secret end",
    );
    expect(page.complaints).toEqual([]);
  });

  it("hides a spoiler until it is asked for, also from a screen reader", async () => {
    await say({ message: "the murderer is ||the gardener||" });
    await page.until("document.querySelector('.spoiler')");
    const hidden = "getComputedStyle(document.querySelector('.spoiler > span')).visibility";
    expect(await page.evaluate(hidden)).toBe("hidden");
    await page.evaluate("document.querySelector('.spoiler').click()");
    expect(await page.evaluate(hidden)).toBe("visible");
    expect(await page.evaluate("document.querySelector('.spoiler').getAttribute('aria-expanded')")).toBe("true");
  });

  it("puts no markup of a message into the page, styled or not", async () => {
    const markup = "<img src=x onerror=alert(1)><script>document.title='x'</script>";
    await say({ message: `${markup} **${markup}** ||${markup}||` });
    await page.until("document.querySelector('li.theirs')");
    expect(await page.evaluate("document.querySelectorAll('.bubble img, .bubble script').length")).toBe(0);
    expect(await page.evaluate("document.querySelector('.bubble').textContent")).toBe(`${markup} ${markup} ${markup}`);
    expect(page.complaints).toEqual([]);
  });

  it("shows typing, edits, deletions, read marks and files", async () => {
    const phone = simulator.phone();
    await fetch(`${simulator.url}/v1/typing-indicator/${number}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ recipient: simulator.person("you").uuid }),
    });
    await page.until("document.querySelector('#typing').textContent.includes('typing')");
    const attachment = `data:application/json;filename=proof.json;base64,${Buffer.from("{}").toString("base64")}`;
    await say({ message: "see the file", base64_attachments: [attachment] });
    await page.until("document.querySelector('a.file')?.download === 'proof.json'");
    expect(await page.evaluate("fetch(document.querySelector('a.file').href).then((one) => one.text())")).toBe("{}");
    await page.until("document.querySelector('#typing').textContent === ''");

    const timestamp = phone.write({ text: "first" });
    await page.until("document.querySelector('li.own .bubble')?.textContent === 'first'");
    phone.edit(timestamp, "second");
    await page.until("document.querySelector('li.own')?.textContent.includes('edited')");
    await fetch(`${simulator.url}/v1/receipts/${number}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ recipient: simulator.person("you").uuid, receipt_type: "read", timestamp }),
    });
    await page.until("document.querySelector('li.own .ticks')?.textContent === '✓✓ read'");
    await page.evaluate(
      "[...document.querySelectorAll('li.own button')].find((one) => one.textContent === 'Delete').click()",
    );
    await page.until("document.querySelector('li.own.deleted')");
    expect(page.complaints).toEqual([]);
  });

  it("replies to a message and tells the bot what was read", async () => {
    await say({ message: "a question" });
    await page.until("document.querySelector('li.theirs button')");
    await page.evaluate("document.querySelector('li.theirs button').click()");
    await page.type("my answer");
    await page.press("Enter");
    await page.until("document.querySelector('li.own .quote')?.textContent === 'bot: a question'");
    await expect.poll(() => simulator.conversation().messages[0]?.read).toBe(true);
  });

  it("follows what is new at its end, and stays where somebody reads", async () => {
    for (let index = 0; index < 40; index++) simulator.phone().write({ text: `line ${index}` });
    await page.until("document.querySelectorAll('li').length === 40");
    const below =
      "(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)(document.querySelector('#log'))";
    expect(await page.evaluate(below)).toBeLessThan(2);
    await page.evaluate("document.querySelector('#log').scrollTop = 0");
    await say({ message: "something new" });
    await page.until("document.querySelector('li.theirs')");
    expect(await page.evaluate("document.querySelector('#log').scrollTop")).toBe(0);
  });

  it("keeps a message that is not taken, and says why", async () => {
    await simulator[Symbol.asyncDispose]();
    await page.until("document.querySelector('#link').textContent.includes('away')");
    await page.type("Hello");
    await page.press("Enter");
    await page.until("document.querySelector('#trouble').textContent !== ''");
    expect(await page.evaluate("document.querySelector('textarea').value")).toBe("Hello");
  });

  it("fits a small screen, light and dark, and can be used by keyboard", async () => {
    const phone = simulator.phone();
    phone.write({ text: "What is a TEE? And a_very_long_word_".padEnd(200, "x") });
    await say({
      message: "**A TEE** is a part of a processor.\n`code that is quite long and goes on and on and on`\n(1/2)",
    });
    await page.until("document.querySelectorAll('li').length >= 2");
    for (const scheme of ["light", "dark"] as const) {
      await page.resize(360, 640, scheme);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
      expect(
        await page.evaluate("document.querySelector('form button[type=submit]').getBoundingClientRect().right <= 360"),
      ).toBe(true);
      if (process.env["SCREENSHOTS"]) await page.screenshot(join(process.env["SCREENSHOTS"], `chat-${scheme}.png`));
    }
    await page.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Send");
  });
});
