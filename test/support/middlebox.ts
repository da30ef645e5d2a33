/** A box on the way to a port, such as a firewall: it looks at the first bytes of each connection and treats it by them. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { reset } from "../../shared/nodejs/reset.ts";

/** `swallow`: it takes every byte and passes none on. */
export type Treatment = "pass" | "reset" | "swallow";

export interface Middlebox extends Disposable {
  readonly port: number;
  /** May be changed while it runs; open connections stay as they are. */
  treat: (first: Buffer, open: number) => Treatment;
  /** Connections that are passed on now. */
  readonly open: number;
  /** Resets every connection, as a box does that has forgotten them. */
  resetAll(): void;
  /** As a NAT whose table was lost: passes nothing more of open connections that began so, and tells nobody. */
  forget(began: (first: Buffer) => boolean): void;
}

export const letsAllPass = (): Treatment => "pass";
/** Of connections whose first byte is that of TLS. */
export const isTls = (first: Buffer): boolean => first[0] === 0x16;
/** Of pool connections that are not inside TLS. */
export const isPool = (first: Buffer): boolean => first[0] === 0;

export async function startMiddlebox(target: number, treat: Middlebox["treat"]): Promise<Middlebox> {
  const sockets = new Set<Socket>();
  const pairs = new Map<Socket, { first: Buffer; far: Socket }>();
  let open = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    sockets.add(near);
    near.on("error", () => {}).on("close", () => sockets.delete(near));
    near.once("data", (first: Buffer) => {
      const treatment = box.treat(first, open);
      if (treatment === "reset") return reset(near);
      if (treatment === "swallow") return near.resume();
      open++;
      near.pause();
      const far = connect({ port: target, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
      sockets.add(far);
      far
        .on("error", () => {})
        .on("close", () => {
          open--;
          sockets.delete(far);
          if (pairs.delete(near) && !isOver(far)) reset(near);
        });
      near.on("close", () => pairs.delete(near) && !isOver(near) && reset(far));
      pairs.set(near, { first, far });
      far.write(first);
      near.pipe(far).pipe(near);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const box: Middlebox = {
    port: (server.address() as AddressInfo).port,
    treat,
    get open() {
      return open;
    },
    resetAll() {
      for (const socket of sockets) reset(socket);
    },
    forget(began) {
      for (const [near, { first, far }] of pairs) {
        if (!began(first)) continue;
        pairs.delete(near);
        near.unpipe(far).resume();
        far.unpipe(near).resume();
      }
    },
    [Symbol.dispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  return box;
}

/** It has closed because both directions had ended; what the other side was sent may still be under way. */
function isOver({ readableEnded, writableFinished, errored }: Socket): boolean {
  return readableEnded && writableFinished && !errored;
}
