/**
 * C2PA content credentials: a signed manifest inside the file that says by whom and how the picture was made,
 * and that breaks when a pixel changes. By c2pa-rs, compiled to WebAssembly. It is written for browsers' workers,
 * where a Blob can be read at once; Node's cannot, so it is given one that remembers its bytes.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import init, { WasmBuilder, WasmReader } from "@contentauth/c2pa-wasm";
import sharp from "sharp";
import { algorithmOf, envelopeBytes, signClaim, type SigningKey } from "./cose.ts";
import { type DigitalSourceType, sourceTypeUri } from "./source-type.ts";

/** What a manifest adds to a file beside its envelope, with room to spare: about 1.1 KiB were seen. */
const MANIFEST_BYTES = 4096;

class BytesBlob extends Blob {
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor(bytes: Uint8Array<ArrayBuffer>, options?: { readonly type?: string }) {
    super([bytes], options);
    this.#bytes = bytes;
  }

  /** Copied: the library may keep it. */
  toArrayBuffer(): ArrayBuffer {
    return this.#bytes.slice().buffer;
  }

  override slice(start = 0, end = this.size, type = ""): BytesBlob {
    return new BytesBlob(this.#bytes.subarray(start, end), { type });
  }
}

class BytesReader {
  readAsArrayBuffer(blob: BytesBlob): ArrayBuffer {
    return blob.toArrayBuffer();
  }
}

let loading: Promise<unknown> | undefined;

/** 9 MB of WebAssembly, compiled once a process. */
function loadLibrary(): Promise<unknown> {
  return (loading ??= (async () => {
    Object.assign(globalThis, { FileReaderSync: BytesReader });
    const path = createRequire(import.meta.url).resolve("@contentauth/c2pa-wasm/c2pa.wasm");
    await init({ module_or_path: new Uint8Array(await readFile(path)) });
  })());
}

export interface ContentSigner {
  /** How many bytes a file grows by at most. */
  readonly reservedBytes: number;
  /** The file with its manifest. A second call gives another signature: ECDSA is random. */
  sign(file: {
    readonly bytes: Uint8Array;
    readonly contentType: string;
    readonly title: string;
    readonly sourceType: DigitalSourceType;
  }): Promise<Uint8Array>;
}

function manifest(title: string, sourceType: DigitalSourceType): string {
  return JSON.stringify({
    claim_generator_info: [{ name: "OPAL" }],
    title,
    assertions: [
      {
        label: "c2pa.actions.v2",
        data: { actions: [{ action: "c2pa.created", digitalSourceType: sourceTypeUri(sourceType) }] },
      },
    ],
  });
}

/** The library checks what it has signed, and throws a whole report as text: its failures are named. */
function faultsOf(thrown: unknown): string {
  const text = String(thrown);
  const failures = text.split("failure: [")[1] ?? "";
  const codes = [...failures.matchAll(/code: "([\w.]+)"/g)].map(([, code]) => code);
  return codes.length > 0 ? codes.join(", ") : text.slice(0, 300);
}

export function createContentSigner(signingKey: SigningKey): ContentSigner {
  const { name: alg } = algorithmOf(signingKey.key);
  const reserveSize = envelopeBytes(signingKey);
  const sign = (claim: Uint8Array) => Promise.resolve(signClaim(claim, signingKey, reserveSize));
  return {
    reservedBytes: reserveSize + MANIFEST_BYTES,
    async sign({ bytes, contentType, title, sourceType }) {
      await loadLibrary();
      const builder = WasmBuilder.fromJson(manifest(title, sourceType));
      try {
        const source = new BytesBlob(new Uint8Array(bytes), { type: contentType });
        return await builder.sign({ alg, reserveSize, sign }, [], contentType, source);
      } catch (cause) {
        throw new Error(`cannot sign ${title}: ${faultsOf(cause)}`, { cause });
      } finally {
        builder.free();
      }
    },
  };
}

/** Signs a picture of one pixel: a certificate that C2PA does not take is told at the start, not by every export. */
export async function proveSigner(signer: ContentSigner): Promise<void> {
  const pixel = sharp({ create: { width: 1, height: 1, channels: 3, background: "#ffffff" } });
  const bytes = await pixel.png().toBuffer();
  await signer.sign({ bytes, contentType: "image/png", title: "a test", sourceType: "compositeCapture" });
}

export interface FoundCredentials {
  /** "Trusted" by the given roots, "Valid" in itself, or "Invalid". */
  readonly state: string;
  readonly signer: string | undefined;
}

/** What a file says of itself, checked. @throws {Error} when it holds no manifest. */
export async function readCredentials(
  bytes: Uint8Array,
  contentType: string,
  rootsPem?: string,
): Promise<FoundCredentials> {
  await loadLibrary();
  const settings = rootsPem === undefined ? null : JSON.stringify({ trust: { trust_anchors: rootsPem } });
  const reader = await WasmReader.fromBytes(contentType, bytes, settings);
  try {
    const store = JSON.parse(reader.json()) as {
      validation_state?: string;
      active_manifest?: string;
      manifests?: Record<string, { signature_info?: { common_name?: string } }>;
    };
    const active = store.manifests?.[store.active_manifest ?? ""];
    return { state: store.validation_state ?? "Invalid", signer: active?.signature_info?.common_name };
  } finally {
    reader.free();
  }
}
