/** llama.cpp as it comes in the package: nothing is downloaded, nothing is compiled, no graphics card is looked for. */
import type * as module from "node-llama-cpp";
import type { Llama, LlamaLogLevel } from "node-llama-cpp";

export type LlamaModule = typeof module;

export interface LlamaLibrary {
  readonly module: LlamaModule;
  readonly llama: Llama;
}

/** Throws what the package throws where it has nothing for this machine. */
export async function openLlama(onLog: (level: LlamaLogLevel, text: string) => void): Promise<LlamaLibrary> {
  const library = await import("node-llama-cpp");
  const llama = await library.getLlama({
    gpu: false,
    build: "never",
    skipDownload: true,
    progressLogs: false,
    logLevel: library.LlamaLogLevel.warn,
    logger: onLog,
  });
  return { module: library, llama };
}
