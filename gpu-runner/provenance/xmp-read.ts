/**
 * Reads single properties out of an XMP packet, by their usual prefixes: as attributes or as elements, with or
 * without a list. No XML parser: the packet is foreign text, and five strings are wanted of it. Every search
 * goes forward once, so that no packet takes long.
 */
import type { FoundRights, Rights } from "./rights.ts";

const PROPERTIES: Readonly<Record<keyof Rights, readonly string[]>> = {
  creator: ["dc:creator"],
  copyright: ["dc:rights"],
  credit: ["photoshop:Credit"],
  usageTerms: ["xmpRights:UsageTerms"],
  licenceUrl: ["xmpRights:WebStatement", "cc:license", "plus:LicensorURL"],
};

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function decodeEntities(text: string): string {
  return text.replace(/&(#x[0-9a-fA-F]{1,6}|#[0-9]{1,7}|[a-z]{1,5});/g, (whole, name: string) => {
    if (!name.startsWith("#")) return ENTITIES[name] ?? whole;
    const code = name.startsWith("#x") ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

function between(text: string, start: string, end: string): string | undefined {
  const from = text.indexOf(start);
  if (from < 0) return undefined;
  const to = text.indexOf(end, from + start.length);
  return to < 0 ? undefined : text.slice(from + start.length, to);
}

function elementText(packet: string, name: string): string | undefined {
  const element = between(packet, `<${name}`, `</${name}>`);
  if (element === undefined) return undefined;
  const body = element.slice(element.indexOf(">") + 1);
  const item = between(body, "<rdf:li", "</rdf:li>");
  return item === undefined ? body : item.slice(item.indexOf(">") + 1);
}

/** A property's text, its first item where it is a list. */
export function readProperty(packet: string, name: string): string | undefined {
  const text =
    between(packet, `${name}="`, '"') ??
    between(packet, `${name}='`, "'") ??
    elementText(packet, name) ??
    between(packet, `<${name} rdf:resource="`, '"');
  return text === undefined || text.includes("<") ? undefined : decodeEntities(text).trim();
}

export function readXmpRights(xmp: Buffer | undefined): FoundRights {
  if (!xmp) return {};
  const packet = xmp.toString("utf8");
  const fields = Object.entries(PROPERTIES).map(([field, names]) => {
    const [text] = names.flatMap((name) => readProperty(packet, name) ?? []);
    return [field, text] as const;
  });
  return Object.fromEntries(fields);
}
