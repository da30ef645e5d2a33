/**
 * Between two relays of a fleet: TLS 1.3 to the other's public port with its name and ALPN `postern-relay/1`, in which
 * both prove their Ed25519 keys, or resume a session in which they did. What the one that dialled says first tells
 * what the connection is for:
 *
 *     0d …   a visitor: PROXY protocol v2 header with the visitor's address, then its bytes from the ClientHello on
 *     00 …   frames of shared/tunnel/control.ts, of which only ping and pong: whether the other relay lives
 *
 * Who takes a visitor answers with the bytes of the node. Who does not, closes without a word.
 */
export const peerAlpn = "postern-relay/1";
export const visitorByte = 0x0d;
export const framesByte = 0x00;

/** How long a connection may wait for a visitor at the relay that dialled it; the other end waits twice as long. */
export const warmMs = 30_000;
