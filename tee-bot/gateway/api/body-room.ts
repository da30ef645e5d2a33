/**
 * The memory that the bodies of requests share: while they are read, while they wait for their turn, and until they are
 * answered. How many calls may be under way is decided only once their bodies are here.
 */
export class BodyRoom {
  #takenBytes = 0;

  /** Whether there is room for more of a body, which is taken then. A body of usual size is never refused. */
  take(place: BodyPlace, bytes: number, maxBytes: number): boolean {
    if (this.#takenBytes + bytes > maxBytes && place.bytes + bytes > alwaysTakenBytes) return false;
    place.bytes += bytes;
    this.#takenBytes += bytes;
    return true;
  }

  leave(place: BodyPlace): void {
    this.#takenBytes -= place.bytes;
    place.bytes = 0;
  }
}

/** What one call has taken. */
export interface BodyPlace {
  bytes: number;
}

/** So that a few who fill the room with large bodies do not keep out everybody else. */
const alwaysTakenBytes = 64 * 1024;
