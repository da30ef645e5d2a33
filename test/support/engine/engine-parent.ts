/** A process that starts an engine and tells where it is, so that a test can kill the one and look for the other. */
import { startEngine } from "./running-engine.ts";

const { child } = await startEngine();
process.send?.({ pid: child.pid, socket: child.socket });
setInterval(() => {}, 60_000);
