/** Waits for its end as every process of Postern does, and says why it came. */
import { aborted, onTermination } from "../../../shared/nodejs/termination.ts";

const stop = onTermination();
console.log("waiting");
await aborted(stop);
console.log((stop.reason as Error).message);
