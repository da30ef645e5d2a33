import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { isAlive, root, until } from "../../support/postern.ts";

/** Starts a process whose parent is then killed; resolves to its process id. */
async function orphan(folder: string, env: Record<string, string>): Promise<number> {
  const script = join(folder, "orphan.ts");
  writeFileSync(
    script,
    `import { onParentGone } from ${JSON.stringify(join(root, "scripts/launcher/parent.ts"))};
     const alive = setInterval(() => {}, 1000);
     onParentGone().addEventListener("abort", () => clearInterval(alive));
     process.stdout.write(String(process.pid));`,
  );
  const { npm_lifecycle_event: _, ...inherited } = process.env;
  // The shell stays, as npm's does, because of what comes after the command.
  const shell = spawn("sh", ["-c", `"${process.execPath}" "${script}"; true`], {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...inherited, ...env },
  });
  const [pid] = (await once(shell.stdout, "data")) as [Buffer];
  shell.kill("SIGKILL");
  await once(shell, "exit");
  return Number(pid.toString());
}

test("what npm started ends when npm is killed", async () => {
  using folder = temporaryFolder();
  const pid = await orphan(folder.path, { npm_lifecycle_event: "start" });
  await until(() => !isAlive(pid), 3_000, "it has ended");
});

test("what a shell started in the background outlives the shell", async () => {
  using folder = temporaryFolder();
  const pid = await orphan(folder.path, {});
  await new Promise((resolve) => setTimeout(resolve, 1_200)); // longer than two looks at the parent
  expect(isAlive(pid)).toBe(true);
  process.kill(pid, "SIGKILL");
});
