/** More than are ever on the way at once are not worth keeping: CAs forget old nonces. */
const maxNonces = 128;

/** The nonces that came with answers (RFC 8555 §6.5): each saves the round trip of asking for one. */
export class NoncePool {
  #nonces: string[] = [];

  add(nonce: string): void {
    if (!/^[\w-]{1,512}$/.test(nonce)) return; // §6.5.1: base64url, or to be ignored
    this.#nonces.push(nonce);
    if (this.#nonces.length > maxNonces) this.#nonces.shift();
  }

  /** The newest, which the CA is likeliest to know. */
  take(): string | undefined {
    return this.#nonces.pop();
  }

  /** One was refused: the others are of the same age, or the CA has restarted. */
  clear(): void {
    this.#nonces = [];
  }
}
