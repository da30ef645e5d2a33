/** A prompt is read in pieces, since what llama.cpp has begun cannot be stopped, and a client may leave meanwhile. */
export const firstPieceTokens = 32;
const maxPieceTokens = 512;
const aimedMs = 50;

/** Tokens of the next piece, from how long the last took: near 50 ms, as fewer and larger ones are faster. */
export function decidePiece(lastTokens: number, tookMs: number): number {
  if (tookMs < aimedMs / 2) return Math.min(maxPieceTokens, lastTokens * 2);
  if (tookMs > aimedMs * 2) return Math.max(1, Math.floor(lastTokens / 2));
  return lastTokens;
}
