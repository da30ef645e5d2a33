/** A real Chromium without a window, spoken to by its DevTools protocol (https://chromedevtools.github.io/devtools-protocol). */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";

export interface Page {
  /** Runs an expression in the page, and waits for it if it is a promise. */
  evaluate<T>(expression: string): Promise<T>;
  /** Until the expression is true. */
  until(expression: string): Promise<void>;
  /** Text as it is typed; the element that has the focus gets it. */
  type(text: string): Promise<void>;
  press(key: "Enter" | "Tab"): Promise<void>;
  resize(width: number, height: number, scheme: "light" | "dark"): Promise<void>;
  screenshot(path: string): Promise<void>;
  /** What the page said on its console, and what it could not load. */
  readonly complaints: readonly string[];
}

export interface Browser extends AsyncDisposable {
  open(url: string): Promise<Page>;
}

const startTimeoutMs = 30_000;
const callTimeoutMs = 15_000;
const lookMs = 50;
const keyCodes = { Enter: 13, Tab: 9 } as const;

export const hasBrowser = spawnSync("sh", ["-c", "command -v chromium"], { stdio: "ignore" }).status === 0;

export async function startBrowser(): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), "postern-browser-"));
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"];
  const child = spawn(
    "chromium",
    [...flags, "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const address = await new Promise<string>((resolve, reject) => {
    let said = "";
    const timer = setTimeout(() => reject(new Error(`Chromium did not start.\n${said}`)), startTimeoutMs);
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const [, found] = /DevTools listening on (ws:\S+)/.exec(said) ?? [];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    });
  });
  const { host } = new URL(address);
  return {
    open: async (url) => {
      const made = await fetch(`http://${host}/json/new?${encodeURIComponent("about:blank")}`, { method: "PUT" });
      const { webSocketDebuggerUrl } = (await made.json()) as { webSocketDebuggerUrl: string };
      return openPage(webSocketDebuggerUrl, url);
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function openPage(address: string, url: string): Promise<Page> {
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const complaints: string[] = [];
  const waiting = new Map<number, (answer: { result?: unknown; error?: { message: string } }) => void>();
  let last = 0;
  socket.on("message", (data: Buffer) => {
    const message = JSON.parse(data.toString()) as { id?: number; method?: string; params?: unknown };
    if (message.id !== undefined) waiting.get(message.id)?.(message as never);
    else if (/exceptionThrown|entryAdded/.test(message.method ?? "")) complaints.push(JSON.stringify(message.params));
  });
  const call = <T>(method: string, params: object = {}): Promise<T> =>
    new Promise((resolve, reject) => {
      const id = ++last;
      const timer = setTimeout(() => reject(new Error(`${method} has no answer.`)), callTimeoutMs);
      waiting.set(id, ({ result, error }) => {
        clearTimeout(timer);
        waiting.delete(id);
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve(result as T);
      });
      socket.send(JSON.stringify({ id, method, params }));
    });
  for (const domain of ["Page", "Runtime", "Log"]) await call(`${domain}.enable`);
  await call("Page.navigate", { url });

  async function evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await call<{
      result: { value: T };
      exceptionDetails?: { exception?: { description?: string } };
    }>("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? "the page threw");
    return result.value;
  }
  return {
    complaints,
    evaluate,
    until: async (expression) => {
      const deadline = Date.now() + callTimeoutMs;
      while (!(await evaluate<boolean>(`Boolean(${expression})`))) {
        if (Date.now() > deadline) throw new Error(`never: ${expression}\n${complaints.join("\n")}`);
        await new Promise((resolve) => setTimeout(resolve, lookMs));
      }
    },
    type: async (text) => void (await call("Input.insertText", { text })),
    press: async (key) => {
      const event = { key, code: key, windowsVirtualKeyCode: keyCodes[key], ...(key === "Enter" && { text: "\r" }) };
      await call("Input.dispatchKeyEvent", { type: "keyDown", ...event });
      await call("Input.dispatchKeyEvent", { type: "keyUp", ...event });
    },
    resize: async (width, height, value) => {
      await call("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 600 });
      await call("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value }] });
    },
    screenshot: async (path) => {
      const { data } = await call<{ data: string }>("Page.captureScreenshot", { format: "png" });
      writeFileSync(path, data, "base64");
    },
  };
}
