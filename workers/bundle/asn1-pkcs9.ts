/**
 * The attributes of a PKCS #10 request (RFC 2985 §5.4) that @peculiar/x509 reads. Instead of @peculiar/asn1-pkcs9,
 * which comes with PKCS #7, #8 and #12 (35 KB when minified).
 */
import { AsnType, AsnTypeTypes } from "@peculiar/asn1-schema";
import { DirectoryString } from "@peculiar/asn1-x509";

export const id_pkcs9_at_challengePassword = "1.2.840.113549.1.9.7";
export const id_pkcs9_at_extensionRequest = "1.2.840.113549.1.9.14";

export class ChallengePassword extends DirectoryString {}
AsnType({ type: AsnTypeTypes.Choice })(ChallengePassword);
