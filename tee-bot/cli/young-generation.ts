import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** Both halves of it: the garbage of some hundred calls. */
const maxBytes = 32 * 1024 * 1024;
const lookMs = 250;

/**
 * Keeps V8's young generation from growing beyond a size that is as fast as any larger one. Under load it would grow to 134 MB,
 * which stay for hours. Its limit is fixed as V8 starts (`--max-semi-space-size`), however the process was started; whether it may
 * grow is not (Node 24.21). It doubles after as many bytes have survived as it has, so that it is at most twice as large at the next look.
 */
export function boundYoungGeneration(): void {
  let mayGrow = true;
  const look = (): void => {
    const isSmall = youngBytes() < maxBytes; // when the process was idle V8 makes it smaller
    if (isSmall === mayGrow) return;
    mayGrow = isSmall;
    setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`);
  };
  setInterval(look, lookMs).unref();
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space")?.space_size ?? 0;
}
