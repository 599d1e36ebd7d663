import { request } from "node:https";
import { BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBlob } from "../testing.ts";
import { type BlobStore, createBlobStore, openBlobStore } from "./blob.ts";
import { createDelegationSigner } from "./sas-signer.ts";
import { type SecureBlob, type TlsAwareOptions, startSecureBlob } from "./testing.ts";

/** One suite for both ways to sign: with the account's key, and with a managed identity's delegation key. */

let secure: SecureBlob;
beforeAll(async () => {
  secure = await startSecureBlob();
});
afterAll(() => secure?.stop());

/** The emulator checks a token's claims and not its signature. */
function aToken(now: Date): string {
  const seconds = Math.floor(now.getTime() / 1000);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = {
    aud: "https://storage.azure.com",
    iss: "https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/",
    nbf: seconds - 60,
    iat: seconds - 60,
    exp: seconds + 3600,
    oid: "f1c5f4a0-1111-4111-8111-111111111111",
    tid: "ab1f708d-50f6-404c-a006-d71b2ac7a606",
  };
  return `${part({ alg: "none", typ: "JWT" })}.${part(claims)}.`;
}

interface Delegation {
  readonly store: BlobStore;
  readonly keys: () => number;
}

function withManagedIdentity(now: () => Date): Delegation {
  const credential = {
    getToken: async () => ({ token: aToken(new Date()), expiresOnTimestamp: Date.now() + 3_600_000 }),
  };
  const options: TlsAwareOptions = { tlsOptions: { ca: secure.ca } };
  const service = new BlobServiceClient(secure.endpoint, credential, options);
  let keys = 0;
  const counted = {
    accountName: service.accountName,
    url: service.url,
    getUserDelegationKey: (starts: Date, expires: Date) => {
      keys += 1;
      return service.getUserDelegationKey(starts, expires);
    },
  };
  return {
    store: createBlobStore(service, createDelegationSigner({ service: counted as never, now })),
    keys: () => keys,
  };
}

async function send(method: string, url: string, body = ""): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { "x-ms-blob-type": "BlockBlob", "content-length": Buffer.byteLength(body) };
    const sent = request(url, { method, ca: secure.ca, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on("error", reject).end(body);
  });
}

const inOneMinute = () => new Date(Date.now() + 60_000);

describe.each([
  {
    way: "the account's key",
    open: async () => {
      const plain = await startBlob();
      return { store: await openBlobStore({ connectionString: plain.connectionString }), server: plain };
    },
  },
  {
    way: "a delegation key",
    open: async () => ({ store: withManagedIdentity(() => new Date()).store, server: secure }),
  },
])("signed with $way", ({ way, open }) => {
  let store: BlobStore;
  let server: Pick<SecureBlob, "put" | "stop">;
  const ref = (name: string) => `raw/acme/${way.length}/${name}`;
  const call = async (method: string, url: string, body = "") => {
    if (url.startsWith("https:")) return send(method, url, body);
    const response = await fetch(url, {
      method,
      headers: { "x-ms-blob-type": "BlockBlob" },
      ...(method === "PUT" && { body }),
    });
    return { status: response.status, text: await response.text() };
  };

  beforeAll(async () => {
    ({ store, server } = await open());
  });
  afterAll(async () => {
    if (server !== secure) await server?.stop();
  });

  test("an upload URL creates its blob once, and does nothing else", async () => {
    const url = await store.uploadUrl(ref("a b.jpg"), inOneMinute());
    expect((await call("PUT", url, "one")).status).toBe(201);
    expect((await call("PUT", url, "two")).status).toBe(403);
    expect((await call("GET", url)).status).toBe(403);
    expect((await call("DELETE", url)).status).toBe(403);
    expect(await store.readText(ref("a b.jpg"), 100)).toBe("one");
  });

  test("a read URL reads, and does nothing else", async () => {
    await server.put(ref("read"), "content");
    const url = await store.readUrl(ref("read"), inOneMinute());
    expect(await call("GET", url)).toEqual({ status: 200, text: "content" });
    expect((await call("PUT", url, "x")).status).toBe(403);
    expect((await call("GET", url.replace("/read?", "/other?"))).status).toBe(403);
  });

  test("a URL ends with its time", async () => {
    await server.put(ref("old"), "content");
    const url = await store.readUrl(ref("old"), new Date(Date.now() - 1000));
    expect((await call("GET", url)).status).toBe(403);
  });

  test("what is not there is told apart from what fails", async () => {
    expect(await store.head(ref("nothing"))).toBeUndefined();
    expect(await store.readText(ref("nothing"), 10)).toBeUndefined();
    await server.put(ref("there"), "12345", "image/png");
    expect(await store.head(ref("there"))).toEqual({ bytes: 5, contentType: "image/png" });
    expect(await store.readText(ref("there"), 5)).toBe("12345");
    await expect(store.readText(ref("there"), 4)).rejects.toThrow(RangeError);
    await server.put(ref("empty"), "");
    expect(await store.head(ref("empty"))).toMatchObject({ bytes: 0 });
    expect(await store.readText(ref("empty"), 10)).toBe("");
  });
});

test("one delegation key serves many URLs, until it would end before them", async () => {
  let now = new Date();
  const { store, keys } = withManagedIdentity(() => now);
  await Promise.all(Array.from({ length: 20 }, (_, index) => store.readUrl(`raw/x/${index}`, inOneMinute())));
  expect(keys()).toBe(1);
  now = new Date(now.getTime() + 25 * 3_600_000);
  await store.readUrl("raw/x/late", new Date(now.getTime() + 60_000));
  expect(keys()).toBe(2);
});
