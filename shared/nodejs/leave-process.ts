import process from "node:process";

/**
 * Ends this process at once, whatever its threads have open. `process.exit` waits for the teardown of every thread's loop,
 * which can spin for ever once sockets were reset (Node 24.21, node::Environment::CleanupHandles); a process that becomes
 * another program does not. Nothing is run or flushed before.
 */
export function leaveProcess(): never {
  process.execve?.("/bin/true", ["true"], {});
  process.exit();
}
