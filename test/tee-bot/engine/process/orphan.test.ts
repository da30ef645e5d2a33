import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { expect, it } from "vitest";

it("the engine ends when the process that started it is killed, and leaves no socket", async () => {
  const parent = fork("test/support/engine/engine-parent.ts", [], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const [{ pid, socket }] = (await once(parent, "message")) as [{ pid: number; socket: string }];
  expect([existsSync(`/proc/${pid}`), existsSync(socket)]).toEqual([true, true]);
  parent.kill("SIGKILL");
  await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 5_000 }).toBe(false);
  expect(existsSync(dirname(socket))).toBe(false);
}, 60_000);
