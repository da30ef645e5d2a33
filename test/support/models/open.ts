import { openHttpProvider, type HttpProviderSpec } from "../../../tee-bot/gateway/providers/http-provider.ts";
import type { ServedWorld } from "../../gateway/provider-behaviour.ts";
import type { ModelServer } from "./stand-in.ts";

/** A provider before a stand-in; `timeoutMs`: its patience with a listing. */
export async function openServed(
  server: ModelServer,
  chatModel: string,
  spec: (url: string) => HttpProviderSpec,
  timeoutMs = 10_000,
): Promise<ServedWorld> {
  await server.start();
  const provider = openHttpProvider(spec(server.url), {
    connectTimeoutMs: 5_000,
    mark: "test",
    timeoutMs,
    onRefused: () => {},
  });
  return {
    provider,
    server,
    chatModel,
    async [Symbol.asyncDispose]() {
      await provider[Symbol.asyncDispose]();
      await server.stop();
    },
  };
}
