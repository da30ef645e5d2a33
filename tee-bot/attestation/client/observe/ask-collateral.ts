import { hasSimulatorMark } from "../../../../shared/attestation/simulator-mark.ts";
import { systemClock } from "../../../../shared/clock.ts";
import { AppError } from "../../../../shared/errors.ts";
import { fetchCollateral } from "../../collateral/fetch-collateral.ts";
import { defaultCollateral } from "../../settings.ts";
import type { AskCollateral } from "./observe-node.ts";

/** Instead of a URL: take what the node shows. It is signed by Intel either way, only perhaps not the newest. */
const shown = "shown";

/** `service` as the user gave it. A simulator's word is to be had from the node alone, unless its service is named. */
export function askCollateralOf(service: string | undefined, simulated: boolean): AskCollateral | undefined {
  if (service === shown || (service === undefined && simulated)) return undefined;
  return async (quote, signal) => {
    if (service === undefined && hasSimulatorMark(quote))
      throw new AppError("not-found", "nobody but the simulator vouches for its platform.");
    const { documents, retrieved_at, source } = await fetchCollateral({
      base: service ?? defaultCollateral,
      quote,
      fetch,
      clock: systemClock,
      signal,
    });
    return { documents, retrievedAt: retrieved_at, source: `asked of ${source}` };
  };
}
