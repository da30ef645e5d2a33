/** A Worker that is bundled as the edge is, and answers what @peculiar/asn1-schema asks of an empty SEQUENCE. */
import { fromBER } from "asn1js";

const emptySequence = new Uint8Array([0x30, 0x00]);

export default {
  fetch: (): Response => new Response(fromBER(emptySequence).result.constructor.name),
};
