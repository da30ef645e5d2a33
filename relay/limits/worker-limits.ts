import type { RelayLimits, ShareLimits } from "../config.ts";

/** What one of several workers may have, so that together they have what the relay may. The kernel spreads those who come evenly. */
export function decideWorkerLimits(limits: RelayLimits, workers: number): RelayLimits {
  const share = (limit: number): number => Math.ceil(limit / workers);
  const shareOf = ({ perSecond, burst, maxOpen }: ShareLimits): ShareLimits => {
    return { perSecond: share(perSecond), burst: share(burst), maxOpen: share(maxOpen) };
  };
  return {
    ...limits,
    maxConnections: share(limits.maxConnections),
    maxVisitors: share(limits.maxVisitors),
    perNode: shareOf(limits.perNode),
    perNetwork: shareOf(limits.perNetwork),
    maxForwarded: share(limits.maxForwarded),
    perPeer: shareOf(limits.perPeer),
    maxPendingHellos: share(limits.maxPendingHellos),
    maxPendingHellosPerAddress: share(limits.maxPendingHellosPerAddress),
    poolFloor: share(limits.poolFloor), // each worker keeps some ready; the cap is for all together
  };
}
