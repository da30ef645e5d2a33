import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

/** A port that the system has to offer, preferably the usual one. */
export interface ChosenPort {
  readonly port: number;
  /** The usual port was taken. */
  readonly moved: boolean;
}

/** Thrown when a port that was asked for by number is taken. */
export class PortTakenError extends Error {}

/**
 * The port to use on 127.0.0.1: the one asked for, or the usual one, or, if that is taken, any free one. Another
 * program could still take it before it is listened on; the process that then fails says so.
 */
export async function choosePort(name: string, usual: number, asked: number | undefined): Promise<ChosenPort> {
  if (await isFree(asked ?? usual)) return { port: asked ?? usual, moved: false };
  if (asked !== undefined) throw new PortTakenError(`Port ${asked} for the ${name} is taken by another program.`);
  return { port: await findFree(), moved: true };
}

function isFree(port: number): Promise<boolean> {
  return listenOnce(port).then(
    () => true,
    () => false,
  );
}

/** Any that is free now, where nobody has to know it by heart. */
export function findFree(): Promise<number> {
  return listenOnce(0);
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => {
      const actual = (server.address() as AddressInfo).port;
      server.close(() => resolve(actual));
    });
  });
}
