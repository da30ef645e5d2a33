/** What visitors do in a soak, and how often each. */
import type { Random } from "../../fuzz/random.ts";
import { download, downloadSlowly, downloadUntilEnd } from "./downloads.ts";
import { babble, vanish } from "./nuisances.ts";
import { ask, askOnce, echo, listen } from "./talks.ts";
import { upload } from "./uploads.ts";
import type { Visitor } from "./visitor.ts";

export interface Kind {
  readonly name: string;
  /** Of the sum of all. */
  readonly share: number;
  /** Only for a node whose TLS ends in the service. */
  readonly tlsOnly?: boolean;
  /** Resolves to the bytes that were compared. */
  readonly run: (visitor: Visitor) => Promise<number>;
}

export const kinds: readonly Kind[] = [
  { name: "download", share: 12, run: download },
  { name: "download until the end", share: 12, tlsOnly: true, run: downloadUntilEnd },
  { name: "slow download", share: 4, run: downloadSlowly },
  { name: "upload", share: 10, run: upload },
  { name: "events", share: 12, run: listen },
  { name: "echoes", share: 10, run: echo },
  { name: "requests", share: 12, run: ask },
  { name: "connection", share: 25, run: (visitor) => askOnce(visitor) },
  { name: "vanishing", share: 10, run: vanish },
  { name: "garbage", share: 5, run: babble },
];

export function chooseKind(random: Random, { tls }: { tls: boolean }): Kind {
  const possible = kinds.filter(({ tlsOnly = false }) => tls || !tlsOnly);
  let at = random.below(possible.reduce((sum, { share }) => sum + share, 0));
  return possible.find(({ share }) => (at -= share) < 0) as Kind;
}
