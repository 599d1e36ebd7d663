/** Rights in the old IPTC block (IIM, record 2) of JPEG and TIFF files. */
import type { FoundRights, Rights } from "./rights.ts";

const DATASETS: Readonly<Record<number, keyof Rights>> = { 80: "creator", 110: "credit", 116: "copyright" };
const MARKER = 0x1c;
const RECORD = 2;
/** Set in a length that is not two bytes: nothing that long is a name. */
const EXTENDED = 0x8000;

/** UTF-8 where it is valid UTF-8, else Latin-1: the block seldom says which. */
function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return bytes.toString("latin1");
  }
}

interface Dataset {
  readonly record: number;
  readonly number: number;
  readonly bytes: Buffer;
}

function* datasets(iptc: Buffer): Generator<Dataset> {
  // The block may stand inside Photoshop's resource of the same name: its records are found by their marker.
  let at = iptc.indexOf(Buffer.from([MARKER, RECORD]));
  while (at >= 0 && at + 5 <= iptc.length && iptc[at] === MARKER) {
    const end = at + 5 + iptc.readUInt16BE(at + 3);
    if (end >= at + 5 + EXTENDED || end > iptc.length) return;
    yield { record: iptc[at + 1] ?? 0, number: iptc[at + 2] ?? 0, bytes: iptc.subarray(at + 5, end) };
    at = end;
  }
}

export function readIptcRights(iptc: Buffer | undefined): FoundRights {
  const rights: Partial<Record<keyof Rights, string>> = {};
  for (const { record, number, bytes } of iptc ? datasets(iptc) : []) {
    const field = record === RECORD ? DATASETS[number] : undefined;
    if (field) rights[field] ??= decode(bytes);
  }
  return rights;
}
