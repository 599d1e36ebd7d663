/** The XMP packet of an export: rights as the photo had them, and the picture's IPTC digital source type. */
import type { Rights } from "./rights.ts";
import { type DigitalSourceType, sourceTypeUri } from "./source-type.ts";

const NAMESPACES = {
  dc: "http://purl.org/dc/elements/1.1/",
  photoshop: "http://ns.adobe.com/photoshop/1.0/",
  xmp: "http://ns.adobe.com/xap/1.0/",
  xmpRights: "http://ns.adobe.com/xap/1.0/rights/",
  Iptc4xmpExt: "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
};

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
  const spaces = Object.entries(NAMESPACES).map(([prefix, uri]) => ` xmlns:${prefix}="${uri}"`);
  return (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>' +
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">' +
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
    `<rdf:Description rdf:about=""${spaces.join("")}>` +
    plain("xmp:CreatorTool", "OPAL") +
    plain("Iptc4xmpExt:DigitalSourceType", sourceTypeUri(sourceType)) +
    fields.join("") +
    '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
  );
}
