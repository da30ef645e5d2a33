import type { QuoteEvidence } from "../../../shared/attestation/evidence.ts";
import { toHex } from "../../../shared/hex.ts";
import type { AgentQuote } from "../dstack/guest-agent.ts";

/** A quote as it is shown and verified. `appCompose`: the exact text, undefined where it is kept back. */
export function quoteEvidence(
  { quote, eventLog, vmConfig }: AgentQuote,
  appCompose: string | undefined,
): QuoteEvidence {
  return {
    quote: toHex(quote),
    event_log: eventLog,
    ...(appCompose !== undefined && { app_compose: appCompose }),
    vm_config: vmConfig,
  };
}
