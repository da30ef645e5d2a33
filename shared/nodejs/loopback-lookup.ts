import { lookup } from "node:dns";
import type { LookupFunction } from "node:net";

/** Like `dns.lookup`, but `localhost` and everything below it is this machine (RFC 6761 §6.3), which glibc leaves out. */
export const lookupWithLoopback: LookupFunction = (hostname, options, callback) => {
  if (!/(^|\.)localhost\.?$/i.test(hostname)) {
    lookup(hostname, options, callback);
    return;
  }
  const addresses = [
    { address: "127.0.0.1", family: 4 },
    { address: "::1", family: 6 },
  ].filter(({ family }) => !options.family || options.family === family || options.family === `IPv${family}`);
  process.nextTick(() => {
    if (options.all) callback(null, addresses);
    else callback(null, addresses[0]?.address ?? "127.0.0.1", addresses[0]?.family ?? 4);
  });
};
