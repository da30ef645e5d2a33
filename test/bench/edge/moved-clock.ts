/** The edge has all its time from `Date.now`: it is moved here, with whatever in the storage is a time of the runtime. */
const realNow = Date.now.bind(Date);
let aheadMs = 0;

Date.now = () => realNow() + aheadMs;

export function moveClock(ms: number): void {
  aheadMs += ms;
}

/** How far the edge's clock is ahead of the runtime's, by which alarms come. */
export const clockAheadMs = (): number => aheadMs;

export { realNow };
