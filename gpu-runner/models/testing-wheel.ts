import { deflateRawSync } from "node:zlib";

interface WheelOptions {
  readonly how: "stored" | "deflated";
  readonly comment?: string;
}

/** A small ZIP file for tests: local headers with contents, the directory, its end. Checksums are left out. */
export function aWheel(files: Readonly<Record<string, Buffer>>, { how, comment = "" }: WheelOptions): Buffer {
  const contents: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [path, bytes] of Object.entries(files)) {
    const packed = how === "stored" ? bytes : deflateRawSync(bytes);
    const method = how === "stored" ? 0 : 8;
    // An extra field that the directory does not have, as real wheels carry them.
    const extra = Buffer.alloc(6);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(path.length, 26);
    local.writeUInt16LE(extra.length, 28);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(bytes.length, 24);
    entry.writeUInt16LE(path.length, 28);
    entry.writeUInt32LE(at, 42);
    directory.push(entry, Buffer.from(path));
    contents.push(local, Buffer.from(path), extra, packed);
    at += local.length + path.length + extra.length + packed.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(at, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...contents, listed, end, Buffer.from(comment)]);
}
