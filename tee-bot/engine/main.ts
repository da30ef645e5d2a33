/**
 * The embedded engine: llama.cpp in a process of its own, so that a crash takes nothing else with it and its memory is
 * given back when it ends. Started by the node with an IPC channel, and gone as soon as that is.
 */
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import type { EngineStart, EngineWord } from "./messages.ts";
import { openLlama } from "./model/llama.ts";
import { Models } from "./model/models.ts";
import { createEngineServer } from "./server/server.ts";

const maxLogText = 500;

if (!process.send) throw new Error("The engine is started by the node: run `postern start`.");
process.once("message", (start: EngineStart) => {
  // There is nothing to be saved, and what llama.cpp is about cannot be interrupted otherwise.
  const end = (): void => {
    rmSync(dirname(start.socket), { recursive: true, force: true });
    process.kill(process.pid, "SIGKILL");
  };
  process.once("disconnect", end);
  process.once("SIGTERM", end);
  // The terminal sends it to both; the node decides.
  process.on("SIGINT", () => {});
  void run(start);
});

async function run({ socket, models }: EngineStart): Promise<void> {
  try {
    const onLog = (level: string, text: string): void =>
      tell({ type: "log", event: "llama.said", fields: { severity: level, text: text.trim().slice(0, maxLogText) } });
    const library = await openLlama(onLog);
    const server = createEngineServer(
      new Models({ models, library, onLoaded: (model) => tell({ type: "loaded", model }) }),
      (error) => tell({ type: "log", event: "engine.failed", fields: { error: describe(error) } }),
    );
    server.once("error", (error) => tell({ type: "failed", reason: error.message }));
    server.listen(socket, () => tell({ type: "ready" }));
  } catch (error) {
    tell({ type: "failed", reason: error instanceof Error ? error.message : String(error) });
  }
}

function tell(word: EngineWord): void {
  process.send?.(word);
}

/** Which error and where, without its message, which may quote what it stumbled over. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const at = error.stack?.split("\n").find((line) => line.trimStart().startsWith("at "));
  return `${error.name} ${at?.trim() ?? ""}`.trim().slice(0, maxLogText);
}
