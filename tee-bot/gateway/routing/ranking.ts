import type { Offer } from "./offers.ts";
import type { Strategy } from "./route.ts";

/** An offer with what its place depends on. */
interface Ranked {
  readonly offer: Offer;
  readonly isGone: boolean;
  readonly isLocal: boolean;
  readonly isLoaded: boolean;
  readonly outstanding: number;
  readonly firstByteMs: number | undefined;
  /** Decides between equals, so that load spreads. */
  readonly lot: number;
}

/** Sooner than this is soon enough: nobody sees the difference. */
const soonMs = 50;
/** To load a model takes as long as many answers. */
const unloadedCost = 8;

/** Who is asked first. Only among offers that may be taken, and of one model. */
export function rankOffers(offers: readonly Offer[], strategy: Strategy, random: () => number): readonly Offer[] {
  if (offers.length < 2) return offers;
  const ranked = offers.map((offer) => readRanked(offer, random()));
  return ranked.toSorted(strategy === "load-balance" ? balance(ranked) : compare).map(({ offer }) => offer);
}

function readRanked(offer: Offer, lot: number): Ranked {
  const { view, model, location } = offer;
  const { outstanding, firstByteMs } = view.attempts;
  const isGone = view.standing.state !== "up";
  return {
    offer,
    isGone,
    isLocal: location === "local",
    isLoaded: model.loaded !== false,
    outstanding,
    firstByteMs,
    lot,
  };
}

/** Local before others, loaded before not loaded, then the least busy, then the fastest. */
function compare(a: Ranked, b: Ranked): number {
  return (
    Number(a.isGone) - Number(b.isGone) ||
    Number(b.isLocal) - Number(a.isLocal) ||
    Number(b.isLoaded) - Number(a.isLoaded) ||
    a.outstanding - b.outstanding ||
    bandOf(a.firstByteMs) - bandOf(b.firstByteMs) ||
    a.lot - b.lot
  );
}

/** Twice as slow is slower; less is chance. Who was not measured is tried. */
function bandOf(ms: number | undefined): number {
  return Math.round(Math.log2(Math.max(soonMs, ms ?? 0)));
}

/**
 * By lots that weigh as much as an answer is expected soon. Not simply the best one: equal providers differ a little in
 * their last measurements, and all calls would go to one of them.
 */
function balance(all: readonly Ranked[]): (a: Ranked, b: Ranked) => number {
  let fastestMs = Infinity;
  for (const { firstByteMs } of all) if (firstByteMs !== undefined && firstByteMs < fastestMs) fastestMs = firstByteMs;
  const unknownMs = fastestMs === Infinity ? soonMs : fastestMs;
  return (a, b) => Number(a.isGone) - Number(b.isGone) || turnOf(a, unknownMs) - turnOf(b, unknownMs);
}

/** An exponential race: the chance to be the least is the share of the weight 1 / cost. */
function turnOf({ outstanding, firstByteMs, isLoaded, lot }: Ranked, unknownMs: number): number {
  const cost = (outstanding + 1) * Math.max(soonMs, firstByteMs ?? unknownMs) * (isLoaded ? 1 : unloadedCost);
  return -Math.log(1 - lot) * cost;
}
