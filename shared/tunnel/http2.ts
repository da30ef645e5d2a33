/**
 * A tunnel in one connection: the control connection with ALPN `postern/2` is HTTP/2, in which the relay is the client
 * and asks by CONNECT for
 *
 *     control.postern   the first stream: the frames of control.ts, as they are, but for `dial` and `missed`
 *     visitor.postern   one stream for each visitor: PROXY protocol v2 header and the visitor's bytes, as in pool.ts
 *
 * The relay does not wait for the answer of 200. END_STREAM is an end that was meant; whatever breaks off is RST_STREAM.
 */
export const http2TunnelAlpn = "postern/2";
export const controlAuthority = "control.postern";
export const visitorAuthority = "visitor.postern";

/** What a visitor who does not read can hold at either end. A faster single stream over a long way costs as much more. */
export const streamWindowBytes: number = 1024 * 1024;
/** What may be under way for all visitors. */
export const sessionWindowBytes: number = 16 * 1024 * 1024;
/** Visitors of one session at a time. */
export const maxStreams = 4_096;
