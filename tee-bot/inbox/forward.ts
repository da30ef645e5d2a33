import type { HookDelivery, HookHandler } from "./hook.ts";
import { AppError, errorText } from "../../shared/errors.ts";

/**
 * Hands webhooks to a service of the user's own as their sender would: the same body, the headers that are kept, and the
 * id also where the sender gave none. It takes one by any 2xx.
 */
export function forwardTo(url: string, { fetch }: { fetch: typeof globalThis.fetch }): HookHandler {
  return {
    async onHook(_hook: string, { id, headers, body }: HookDelivery, signal: AbortSignal): Promise<void> {
      const response = await fetch(url, {
        method: "POST",
        headers: { ...headers, "webhook-id": id },
        body,
        redirect: "error",
        signal,
      }).catch((error: unknown) => {
        throw new AppError("upstream-unavailable", `The service of this hook did not answer: ${errorText(error)}`);
      });
      await response.body?.cancel();
      if (!response.ok)
        throw new AppError("upstream-unavailable", `The service of this hook answered with ${response.status}.`);
    },
  };
}
