import { readFileSync } from "node:fs";
import { join } from "node:path";

/** One recorded ClientHello: what made it, and what it asks for. */
export interface Vector {
  file: string;
  origin: string;
  version: string;
  date: string;
  serverName: string | null;
  alpn: string[];
}

const folder = join(import.meta.dirname, "client-hello");

/** Every vector with its bytes: the whole of what the client sent first, TLS records included. */
export function readClientHellos(): (Vector & { bytes: Buffer })[] {
  const vectors = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")) as Vector[];
  return vectors.map((vector) => Object.assign(vector, { bytes: readFileSync(join(folder, vector.file)) }));
}
