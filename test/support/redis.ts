/** A real Redis on loopback that keeps nothing on disk, stopped by its process id. */
import { spawn, type ChildProcess } from "node:child_process";
import { connect } from "node:net";
import { freePort, stopProcess, until } from "./postern.ts";

export interface Redis extends AsyncDisposable {
  readonly url: string;
  /** Ends it as a crash would; all that it held is gone. */
  kill(): Promise<void>;
  /** Starts it anew on the same port. */
  start(): Promise<void>;
  /** Stops answering, with its connections open. */
  freeze(): void;
  thaw(): void;
}

const startDeadlineMs = 10_000;

/** With a password where one is given. */
export async function startRedis({ password }: { password?: string } = {}): Promise<Redis> {
  const port = await freePort();
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const options = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
    if (password !== undefined) options.push("--requirepass", password);
    child = spawn("redis-server", options, { stdio: "ignore", cwd: "/" });
    await until(() => answers(port), startDeadlineMs, "redis-server listens");
  };
  const kill = async (): Promise<void> => {
    if (child) await stopProcess(child, "SIGKILL");
    child = undefined;
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    start,
    freeze: () => void child?.kill("SIGSTOP"),
    thaw: () => void child?.kill("SIGCONT"),
    [Symbol.asyncDispose]: kill,
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true));
    socket.on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}
