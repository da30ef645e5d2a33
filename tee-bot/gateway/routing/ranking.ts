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
export function rankOffers(offers: readonly Offer[], strategy: Strategy, random: () => number): Offer[] {
  if (offers.length < 2) return [...offers];
  const ranked = offers.map((offer) => {
    const { view, model, location } = offer;
    const { outstanding, firstByteMs } = view.attempts;
    const isGone = view.standing.state !== "up";
    const isLocal = location === "local";
    return { offer, isGone, isLocal, isLoaded: model.loaded !== false, outstanding, firstByteMs, lot: random() };
  });
  return (strategy === "load-balance" ? balanced(ranked) : ranked.toSorted(compare)).map(({ offer }) => offer);
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
function balanced(ranked: readonly Ranked[]): Ranked[] {
  const measured = ranked.map(({ firstByteMs }) => firstByteMs).filter((ms) => ms !== undefined);
  const unknownMs = measured.length > 0 ? Math.min(...measured) : soonMs;
  const drawn = ranked.map((one) => {
    const { outstanding, firstByteMs = unknownMs, isLoaded, lot } = one;
    const cost = (outstanding + 1) * Math.max(soonMs, firstByteMs) * (isLoaded ? 1 : unloadedCost);
    // An exponential race: the chance to be the least is the share of the weight 1 / cost.
    return { one, at: -Math.log(1 - lot) * cost };
  });
  return drawn.toSorted((a, b) => Number(a.one.isGone) - Number(b.one.isGone) || a.at - b.at).map(({ one }) => one);
}
