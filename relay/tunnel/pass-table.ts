/**
 * The passes that are out, in memory that every thread of the relay sees: given by the thread that has the node's control
 * connection, redeemed by the one where the pool connection comes, exactly once and without a message. A slot has five
 * words, a pass names its slot:
 *
 *     state | tunnel | secret (3)          state: odd while the pass is good, even while the slot is free
 *     pass: slot (32 bits, big-endian) | secret (96 bits)
 *
 * Each thread fills a stretch of its own. The state only ever counts up, so that who has compared a secret cannot redeem
 * what was put into the slot meanwhile.
 */
import { randomFillSync } from "node:crypto";
import { passBytes } from "../../shared/tunnel/control.ts";

/** Passes that one thread may have out; a pass is out for a round trip. */
const slotsPerThread = 65_536;
const headWords = 1; // how many tunnels there were
const slotWords = 5;
const wordBytes = 4;

/** A pass that was given, by which it can be taken back. */
export interface Pass {
  readonly bytes: Uint8Array;
  readonly slot: number;
  readonly state: number;
}

export class PassTable {
  readonly #words: Int32Array;
  readonly #first: number;
  #next = 0;

  /** For one thread of as many as the memory was made for. */
  constructor(memory: SharedArrayBuffer = PassTable.memory(1), thread = 0) {
    this.#words = new Int32Array(memory);
    this.#first = thread * slotsPerThread;
    // Those that a thread before this one has left behind.
    for (let slot = this.#first; slot < this.#first + slotsPerThread; slot++) this.#free(slot, this.#stateOf(slot));
  }

  static memory(threads: number): SharedArrayBuffer {
    return new SharedArrayBuffer((headWords + threads * slotsPerThread * slotWords) * wordBytes);
  }

  /** A number that no other tunnel of the relay has. */
  newTunnel(): number {
    return Atomics.add(this.#words, 0, 1);
  }

  /** Gives so many, or as many as there is room for. */
  issue(tunnel: number, count: number): Pass[] {
    const passes: Pass[] = [];
    const random = randomFillSync(new Int32Array(3 * count));
    for (let looked = 0; looked < slotsPerThread && passes.length < count; looked++) {
      const slot = this.#first + this.#next;
      this.#next = (this.#next + 1) % slotsPerThread;
      const free = this.#stateOf(slot);
      if (free % 2 !== 0) continue;
      const secret = random.subarray(3 * passes.length, 3 * passes.length + 3);
      passes.push({ bytes: encodePass(slot, secret), slot, state: this.#fill(slot, free, tunnel, secret) });
    }
    return passes;
  }

  /** Whose pass it is; the second time, nobody's. */
  redeem(bytes: Uint8Array): number | undefined {
    const view = new DataView(bytes.buffer, bytes.byteOffset, passBytes);
    const slot = view.getUint32(0);
    const at = wordOf(slot);
    if (at >= this.#words.length) return undefined;
    const state = this.#stateOf(slot);
    const tunnel = Atomics.load(this.#words, at + 1);
    let difference = 0; // all words are compared, so that the time tells nothing
    for (let word = 0; word < 3; word++)
      difference |= Atomics.load(this.#words, at + 2 + word) ^ view.getInt32(wordBytes * (1 + word));
    return state % 2 !== 0 && difference === 0 && this.#free(slot, state) ? tunnel : undefined;
  }

  /** Whether nobody has redeemed it. */
  stands({ slot, state }: Pass): boolean {
    return this.#stateOf(slot) === state;
  }

  /** Takes it back; answers whether it still stood. */
  void({ slot, state }: Pass): boolean {
    return this.#free(slot, state);
  }

  #fill(slot: number, free: number, tunnel: number, secret: Int32Array): number {
    const at = wordOf(slot);
    Atomics.store(this.#words, at + 1, tunnel);
    for (const [word, value] of secret.entries()) Atomics.store(this.#words, at + 2 + word, value);
    return Atomics.store(this.#words, at, (free + 1) | 0);
  }

  #free(slot: number, state: number): boolean {
    if (state % 2 === 0) return false;
    return Atomics.compareExchange(this.#words, wordOf(slot), state, (state + 1) | 0) === state;
  }

  #stateOf(slot: number): number {
    return Atomics.load(this.#words, wordOf(slot));
  }
}

function wordOf(slot: number): number {
  return headWords + slot * slotWords;
}

function encodePass(slot: number, secret: Int32Array): Uint8Array {
  const bytes = new Uint8Array(passBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, slot);
  for (const [word, value] of secret.entries()) view.setInt32(wordBytes * (1 + word), value);
  return bytes;
}
