/**
 * What a GGUF file says of its model, read from the beginning of its header. Numbers are little-endian.
 *
 *     "GGUF" | version u32 | tensors u64 | keys u64 | keys × (key string | type u32 | value)
 *     then, tensors × (name string | dimensions u32 | dimensions × u64 | type u32 | offset u64)
 *     string: length u64 | UTF-8         array: type u32 | length u64 | values
 *
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
import { quantizationOf } from "./quantization.ts";

export interface GgufFacts {
  readonly architecture: string;
  readonly name?: string;
  readonly description?: string;
  readonly quantization?: string;
  /** In tokens, as the model was trained. */
  readonly contextLength?: number;
  /** It makes one vector of a text. */
  readonly embeds: boolean;
}

/** Why bytes are no GGUF file that can be used. */
export class GgufError extends Error {
  override readonly name = "GgufError";
}

const magic = "GGUF";
const knownVersions = [2, 3];
const maxKeys = 10_000;
const maxTensors = 100_000;
const maxDimensions = 4;
const maxKeyBytes = 65_535;
const maxDescriptionLength = 300;
/** Every file has these after what describes the model, and they are long. */
const vocabularyPrefix = "tokenizer.";

/** Undefined: these are not enough bytes of it. `whole`: all of the header must be as it should. Throws {@link GgufError}. */
export function parseGguf(bytes: Buffer, { whole = false } = {}): GgufFacts | undefined {
  try {
    return factsOf(readHeader(new Cursor(bytes), whole));
  } catch (error) {
    if (error instanceof Shortage) return undefined;
    throw error;
  }
}

type Value = string | number | boolean | undefined;

function readHeader(cursor: Cursor, whole: boolean): ReadonlyMap<string, Value> {
  const found = cursor.bytes(4).toString("latin1");
  if (found !== magic) throw new GgufError("It is no GGUF file: it does not begin with GGUF.");
  const version = cursor.u32();
  if (!knownVersions.includes(version))
    throw new GgufError(`It is GGUF of version ${version}; known are ${knownVersions.join(" and ")}.`);
  const tensors = cursor.u64();
  const count = cursor.u64();
  if (count > maxKeys) throw new GgufError(`Its header claims ${count} keys, which no model has.`);
  const keys = new Map<string, Value>();
  for (let at = 0; at < count; at++) {
    const key = cursor.string(maxKeyBytes);
    if (!whole && key.startsWith(vocabularyPrefix) && isEnough(keys)) return keys;
    keys.set(key, cursor.value(cursor.u32()));
  }
  if (whole) passTensors(cursor, tensors);
  return keys;
}

function passTensors(cursor: Cursor, count: number): void {
  if (count > maxTensors) throw new GgufError(`Its header claims ${count} tensors, which no model has.`);
  for (let at = 0; at < count; at++) {
    cursor.string(maxKeyBytes);
    const dimensions = cursor.u32();
    if (dimensions > maxDimensions) throw new GgufError(`Its header has a tensor of ${dimensions} dimensions.`);
    for (let dimension = 0; dimension < dimensions; dimension++) cursor.u64();
    cursor.u32();
    cursor.u64();
  }
}

const isEnough = (keys: ReadonlyMap<string, Value>): boolean =>
  keys.has(`${String(keys.get("general.architecture"))}.context_length`);

function factsOf(keys: ReadonlyMap<string, Value>): GgufFacts {
  const text = (key: string): string | undefined => {
    const value = keys.get(key);
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const number = (key: string): number | undefined => {
    const value = keys.get(key);
    return typeof value === "number" ? value : undefined;
  };
  const architecture = text("general.architecture");
  if (architecture === undefined) throw new GgufError("It does not say of which architecture the model is.");
  const [name, description] = [text("general.name"), text("general.description")];
  const quantization = quantizationOf(number("general.file_type"));
  const contextLength = number(`${architecture}.context_length`);
  return {
    architecture,
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description: description.slice(0, maxDescriptionLength) }),
    ...(quantization !== undefined && { quantization }),
    ...(contextLength !== undefined && contextLength > 0 && { contextLength }),
    embeds: (number(`${architecture}.pooling_type`) ?? 0) > 0,
  };
}

/** The bytes end before the header does. */
class Shortage extends Error {}

const sizes = [1, 1, 2, 2, 4, 4, 4, 1, undefined, undefined, 8, 8, 8];
const [u32Type, i32Type, f32Type, boolType, stringType, arrayType] = [4, 5, 6, 7, 8, 9];
const maxArrayDepth = 4;

class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  bytes(count: number): Buffer {
    if (this.#at + count > this.#bytes.length) throw new Shortage();
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  u32(): number {
    return this.bytes(4).readUInt32LE();
  }

  u64(): number {
    const value = this.bytes(8).readBigUInt64LE();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new GgufError("Its header has a length that no file has.");
    return Number(value);
  }

  string(maxBytes = Number.MAX_SAFE_INTEGER): string {
    const length = this.u64();
    if (length > maxBytes) throw new GgufError("Its header has a name that is too long.");
    return this.bytes(length).toString();
  }

  /** Of other types than those of facts only the place is taken. */
  value(type: number, depth = 0): Value {
    if (type === stringType) return this.string();
    if (type === arrayType) return this.#skipArray(depth);
    const size = sizes[type];
    if (size === undefined) throw new GgufError(`Its header has a value of the unknown type ${type}.`);
    const bytes = this.bytes(size);
    if (type === u32Type) return bytes.readUInt32LE();
    if (type === i32Type) return bytes.readInt32LE();
    if (type === f32Type) return bytes.readFloatLE();
    return type === boolType ? bytes[0] !== 0 : undefined;
  }

  #skipArray(depth: number): undefined {
    const type = this.u32();
    const length = this.u64();
    if (depth > maxArrayDepth) throw new GgufError("Its header has arrays within arrays without end.");
    const size = sizes[type];
    if (size !== undefined) return void this.bytes(size * length);
    for (let at = 0; at < length; at++) this.value(type, depth + 1);
  }
}
