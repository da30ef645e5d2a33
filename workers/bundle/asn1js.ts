/**
 * asn1js by its ES modules, of which what nobody uses is left out. @peculiar/asn1-schema asks for the name of one class,
 * which minifying takes away.
 */
import { Sequence } from "../../node_modules/asn1js/build/index.es.js";

export * from "../../node_modules/asn1js/build/index.es.js";

Object.defineProperty(Sequence, "name", { value: "Sequence" });
