/**
 * Reads single properties out of an XMP packet, whatever prefixes it uses for their namespaces: as attributes or
 * as elements, as a text, a list or a link.
 */
import type { FoundRights, Rights } from "./rights.ts";
import { type QualifiedName, scanXml, type XmlEvent } from "./xml-scan.ts";
import { NAMESPACES } from "./xmp-namespaces.ts";

const USUAL = new Map<string, string>(Object.entries(NAMESPACES));

const LICENCE_URLS = [
  `${NAMESPACES.xmpRights}WebStatement`,
  `${NAMESPACES.cc}license`,
  `${NAMESPACES.plus}LicensorURL`,
];

const PROPERTIES: Readonly<Record<keyof Rights, readonly QualifiedName[]>> = {
  creator: [`${NAMESPACES.dc}creator`],
  copyright: [`${NAMESPACES.dc}rights`],
  credit: [`${NAMESPACES.photoshop}Credit`],
  usageTerms: [`${NAMESPACES.xmpRights}UsageTerms`],
  licenceUrl: LICENCE_URLS,
};

const DESCRIPTION = `${NAMESPACES.rdf}Description`;
const ITEM = `${NAMESPACES.rdf}li`;
const RESOURCE = `${NAMESPACES.rdf}resource`;
const CONTAINERS: ReadonlySet<QualifiedName> = new Set(
  ["Seq", "Bag", "Alt"].map((name) => NAMESPACES.rdf + name),
);

/** A wanted element that is being read. */
interface Reading {
  readonly name: QualifiedName;
  /** How many elements are open round its content. */
  readonly depth: number;
  text: string;
  /** Of a list the first item alone counts; what is no text and no list is no value. */
  state: "text" | "list" | "item" | "done" | "none";
}

type Open = Extract<XmlEvent, { kind: "open" }>;

function enter(reading: Reading, name: QualifiedName): void {
  if (reading.state === "text" && CONTAINERS.has(name)) {
    reading.state = "list";
    reading.text = "";
  } else if (reading.state === "list" && name === ITEM) reading.state = "item";
  else if (reading.state !== "done") reading.state = "none";
}

/** The first value of each wanted property. Damaged packets give what stands before the damage. */
function readProperties(
  packet: string,
  wanted: ReadonlySet<QualifiedName>,
): ReadonlyMap<QualifiedName, string> {
  const found = new Map<QualifiedName, string>();
  const keep = (name: QualifiedName, text: string): void => {
    const value = text.trim();
    if (wanted.has(name) && value !== "" && !found.has(name)) found.set(name, value);
  };
  let depth = 0;
  let reading: Reading | undefined;
  const open = ({ name, attributes }: Open): void => {
    depth++;
    if (reading) return enter(reading, name);
    if (name === DESCRIPTION) for (const [attribute, value] of attributes) keep(attribute, value);
    if (!wanted.has(name)) return;
    const link = attributes.get(RESOURCE);
    if (link !== undefined) keep(name, link);
    reading = { name, depth, text: "", state: "text" };
  };
  const close = (): void => {
    if (reading?.state === "item") reading.state = "done";
    if (reading?.depth === depth) {
      if (reading.state === "text" || reading.state === "done") keep(reading.name, reading.text);
      reading = undefined;
    }
    depth = Math.max(0, depth - 1);
  };
  for (const event of scanXml(packet, USUAL)) {
    if (event.kind === "open") open(event);
    else if (event.kind === "close") close();
    else if (reading?.state === "text" || reading?.state === "item") reading.text += event.text;
  }
  return found;
}

/** A property's text, its first item where it is a list. */
export function readProperty(packet: string, name: QualifiedName): string | undefined {
  return readProperties(packet, new Set([name])).get(name);
}

export function readXmpRights(xmp: Buffer | undefined): FoundRights {
  if (!xmp) return {};
  const found = readProperties(xmp.toString("utf8"), new Set(Object.values(PROPERTIES).flat()));
  const fields = Object.entries(PROPERTIES).map(([field, names]) => {
    const [text] = names.flatMap((name) => found.get(name) ?? []);
    return [field, text] as const;
  });
  return Object.fromEntries(fields);
}
