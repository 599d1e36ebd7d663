/** The XMP packet of an export: rights as the photo had them, and the picture's IPTC digital source type. */
import type { Rights } from "./rights.ts";
import { type DigitalSourceType, sourceTypeUri } from "./source-type.ts";
import { NAMESPACES } from "./xmp-namespaces.ts";

/** The prefixes that a packet declares. */
const DECLARED = ["dc", "photoshop", "xmp", "xmpRights", "Iptc4xmpExt"] as const;

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const plain = (name: string, text: string) => `<${name}>${escaped(text)}</${name}>`;
const list = (name: string, text: string) =>
  `<${name}><rdf:Seq><rdf:li>${escaped(text)}</rdf:li></rdf:Seq></${name}>`;
const translated = (name: string, text: string) =>
  `<${name}><rdf:Alt><rdf:li xml:lang="x-default">${escaped(text)}</rdf:li></rdf:Alt></${name}>`;

const WRITERS: readonly (readonly [keyof Rights, (text: string) => string])[] = [
  ["creator", (text) => list("dc:creator", text)],
  ["copyright", (text) => translated("dc:rights", text) + plain("xmpRights:Marked", "True")],
  ["credit", (text) => plain("photoshop:Credit", text)],
  ["usageTerms", (text) => translated("xmpRights:UsageTerms", text)],
  ["licenceUrl", (text) => plain("xmpRights:WebStatement", text)],
];

/** Holds no time and no random id: the same picture has the same bytes again. */
export function buildXmp({
  rights = {},
  sourceType,
}: {
  readonly rights?: Rights | undefined;
  readonly sourceType: DigitalSourceType;
}): string {
  const fields = WRITERS.map(([field, write]) => {
    const text = rights[field];
    return text === undefined ? "" : write(text);
  });
  const spaces = DECLARED.map((prefix) => ` xmlns:${prefix}="${NAMESPACES[prefix]}"`);
  return (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>' +
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">' +
    '<rdf:RDF xmlns:rdf="' +
    NAMESPACES.rdf +
    '">' +
    `<rdf:Description rdf:about=""${spaces.join("")}>` +
    plain("xmp:CreatorTool", "OPAL") +
    plain("Iptc4xmpExt:DigitalSourceType", sourceTypeUri(sourceType)) +
    fields.join("") +
    '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
  );
}
