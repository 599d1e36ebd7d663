/**
 * Walks through XML and tells names by their namespace. It validates nothing and reads no document type: XMP
 * packets are foreign text, often damaged, and single properties of them are wanted. It goes forward once, so no
 * text takes long, and ends where a tag, a comment or a text is not ended.
 */

/** A namespace's URI and a local name, joined: `http://purl.org/dc/elements/1.1/rights`. */
export type QualifiedName = string;

export type XmlEvent =
  | {
      readonly kind: "open";
      readonly name: QualifiedName;
      readonly attributes: ReadonlyMap<QualifiedName, string>;
    }
  | { readonly kind: "close" }
  | { readonly kind: "text"; readonly text: string };

/** Namespaces by prefix, "" the default one; what is not declared here is looked up outside. */
interface Scope {
  readonly own: ReadonlyMap<string, string>;
  readonly outer?: Scope | undefined;
}

/** Deeper nesting, and longer URIs, are no metadata. */
const MAX_DEPTH = 64;
const MAX_URI_LENGTH = 200;

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function decodeEntities(text: string): string {
  return text.replace(/&(#x[0-9a-fA-F]{1,6}|#[0-9]{1,7}|[a-z]{1,5});/g, (whole, name: string) => {
    if (!name.startsWith("#")) return ENTITIES[name] ?? whole;
    const code = name.startsWith("#x") ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

function uriOf(prefix: string, scope: Scope): string | undefined {
  for (let at: Scope | undefined = scope; at; at = at.outer) {
    const uri = at.own.get(prefix);
    if (uri !== undefined) return uri;
  }
  return undefined;
}

/** A name whose prefix nobody declared stays as it is, and so equals no qualified name. */
function qualified(name: string, scope: Scope): QualifiedName {
  const colon = name.indexOf(":");
  const uri = uriOf(name.slice(0, Math.max(0, colon)), scope);
  return uri === undefined ? name : uri + name.slice(colon + 1);
}

type Pair = readonly [name: string, value: string];

function attributePairs(tag: string, from: number): Pair[] {
  const start = /\s*([^\s"'=/]+)\s*=\s*(["'])/y;
  start.lastIndex = from;
  const pairs: Pair[] = [];
  for (let match = start.exec(tag); match; match = start.exec(tag)) {
    const [, name = "", quote = '"'] = match;
    const end = tag.indexOf(quote, start.lastIndex);
    if (end < 0) break;
    pairs.push([name, decodeEntities(tag.slice(start.lastIndex, end))]);
    start.lastIndex = end + 1;
  }
  return pairs;
}

function scopeInside(scope: Scope, pairs: readonly Pair[]): Scope {
  const own = new Map<string, string>();
  for (const [name, uri] of pairs) {
    const isDeclaration = name === "xmlns" || name.startsWith("xmlns:");
    if (isDeclaration && uri.length <= MAX_URI_LENGTH) own.set(name.slice(6), uri);
  }
  return own.size === 0 ? scope : { own, outer: scope };
}

/** Where the tag that begins at `from` ends: at its ">", those inside quotes aside. -1 without one. */
function endOfTag(xml: string, from: number): number {
  let quote = "";
  for (let at = from; at < xml.length; at++) {
    const letter = xml.charAt(at);
    if (quote !== "") {
      if (letter === quote) quote = "";
    } else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === ">") return at;
  }
  return -1;
}

function openEvent(tag: string, outer: Scope): { event: XmlEvent; scope: Scope } {
  const [name = ""] = /^[^\s/]*/.exec(tag) ?? [];
  const pairs = attributePairs(tag, name.length);
  const scope = scopeInside(outer, pairs);
  const attributes = new Map<QualifiedName, string>();
  // The default namespace is none of an attribute's.
  for (const [own, value] of pairs) attributes.set(own.includes(":") ? qualified(own, scope) : own, value);
  return { event: { kind: "open", name: qualified(name, scope), attributes }, scope };
}

/** What holds no elements, by how it begins and ends. */
const SPANS = [
  { start: "<!--", end: "-->", isText: false },
  { start: "<![CDATA[", end: "]]>", isText: true },
  { start: "<?", end: "?>", isText: false },
  { start: "<!", end: ">", isText: false },
] as const;

/** What begins at `at`, and where the next piece does; undefined when it is not ended. */
function pieceAt(xml: string, at: number): { next: number; text?: string; tag?: string } | undefined {
  if (xml.charAt(at) !== "<") {
    const next = xml.indexOf("<", at);
    return next < 0 ? undefined : { next, text: decodeEntities(xml.slice(at, next)) };
  }
  const span = SPANS.find(({ start }) => xml.startsWith(start, at));
  if (!span) {
    const end = endOfTag(xml, at);
    return end < 0 ? undefined : { next: end + 1, tag: xml.slice(at + 1, end) };
  }
  const from = at + span.start.length;
  const end = xml.indexOf(span.end, from);
  if (end < 0) return undefined;
  return { next: end + span.end.length, ...(span.isText && { text: xml.slice(from, end) }) };
}

/** @param usual namespaces by prefix that count until the text declares them: a packet may have lost its head */
export function* scanXml(xml: string, usual: ReadonlyMap<string, string>): Generator<XmlEvent> {
  const scopes: Scope[] = [{ own: usual }];
  let at = 0;
  while (at < xml.length && scopes.length <= MAX_DEPTH) {
    const piece = pieceAt(xml, at);
    if (!piece) return;
    at = piece.next;
    if (piece.text !== undefined) yield { kind: "text", text: piece.text };
    if (piece.tag !== undefined) yield* tagEvents(piece.tag, scopes);
  }
}

/** `tag` without its brackets; `scopes`, innermost last, follows the nesting. */
function* tagEvents(tag: string, scopes: Scope[]): Generator<XmlEvent> {
  if (tag.startsWith("/")) {
    if (scopes.length > 1) scopes.pop();
    yield { kind: "close" };
    return;
  }
  const outer = scopes.at(-1);
  if (!outer) return;
  const { event, scope } = openEvent(tag, outer);
  yield event;
  if (tag.endsWith("/")) yield { kind: "close" };
  else scopes.push(scope);
}
