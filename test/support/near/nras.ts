/** A stand-in for NVIDIA's attestation service: its forms and its refusals, with a key of its own. */
import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

export type NrasFault =
  | "refused"
  | "unsupported"
  | "garbage"
  | "other-nonce"
  | "expired"
  | "other-issuer"
  | "other-key"
  | "unpublished-key"
  | "swapped-gpu"
  | "no-gpu"
  | "none-algorithm";

export class Nras implements AsyncDisposable {
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.once("end", () => {
      this.asked.push(request.url ?? "");
      const [status, body] = this.#answer(request.url ?? "", Buffer.concat(chunks).toString());
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });
  readonly #key = generateKeyPairSync("ec", { namedCurve: "P-384" });
  readonly #otherKey = generateKeyPairSync("ec", { namedCurve: "P-384" });
  readonly asked: string[] = [];
  fault: NrasFault | undefined;

  async start(): Promise<this> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(path: string, body: string): [number, unknown] {
    if (path === "/.well-known/jwks.json") {
      const kid = this.fault === "unpublished-key" ? "older" : "of-today";
      return [
        200,
        {
          keys: [
            { kty: "RSA", kid: "another" },
            { ...this.#key.publicKey.export({ format: "jwk" }), kid },
          ],
        },
      ];
    }
    if (this.fault === "unsupported") return [400, { errorCode: 4001, message: "unsupported architecture" }];
    if (this.fault === "garbage") return [200, ["no", "token"]];
    const { nonce } = JSON.parse(body) as { nonce: string };
    const now = Math.floor(Date.now() / 1_000);
    const claims = {
      iss: this.fault === "other-issuer" ? "https://nras.example" : this.url,
      iat: now,
      nbf: now - 10,
      exp: this.fault === "expired" ? now - 3_600 : now + 3_600,
      eat_nonce: this.fault === "other-nonce" ? "00".repeat(32) : nonce,
    };
    const gpu = this.#token({ ...claims, hwmodel: "GH100", measres: "success" });
    const digest = createHash("sha256").update(gpu).digest("hex");
    const submods = this.fault === "no-gpu" ? {} : { "GPU-0": ["DIGEST", ["SHA-256", digest]] };
    const overall = this.#token({ ...claims, "x-nvidia-overall-att-result": this.fault !== "refused", submods });
    const shown = this.fault === "swapped-gpu" ? this.#token({ ...claims, hwmodel: "another" }) : gpu;
    return [200, [["JWT", overall], { "GPU-0": shown }]];
  }

  #token(claims: object): string {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const isNone = this.fault === "none-algorithm";
    const signed = `${part({ alg: isNone ? "none" : "ES384", typ: "JWT", kid: "of-today" })}.${part(claims)}`;
    const key: KeyObject = this.fault === "other-key" ? this.#otherKey.privateKey : this.#key.privateKey;
    const signature = sign("sha384", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
    return `${signed}.${isNone ? "" : signature.toString("base64url")}`;
  }
}
