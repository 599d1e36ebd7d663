/**
 * Signs URLs of blobs, in one of two ways: with the account's key, which only emulators and tests have, or
 * with a user-delegation key, which a managed identity may ask for.
 */
import {
  type BlobSASPermissions,
  type BlobServiceClient,
  SASProtocol,
  type StorageSharedKeyCredential,
  type UserDelegationKey,
  generateBlobSASQueryParameters,
} from "@azure/storage-blob";

export interface SignatureRequest {
  readonly container: string;
  readonly path: string;
  readonly permissions: BlobSASPermissions;
  readonly expiresAt: Date;
}

export interface SasSigner {
  /** @returns the query string that grants exactly what was asked for. */
  sign(request: SignatureRequest): Promise<string>;
}

/** Clocks of storage and of this machine may differ by so much. */
const CLOCK_SKEW_MS = 5 * 60_000;
const DELEGATION_KEY_MS = 24 * 3_600_000;

const sasValues = ({ container, path, permissions, expiresAt }: SignatureRequest, protocol: SASProtocol) => ({
  containerName: container,
  blobName: path,
  permissions,
  expiresOn: expiresAt,
  protocol,
});

/** Only https, except against an endpoint that has nothing else. */
function protocolOf(endpoint: string): SASProtocol {
  return endpoint.startsWith("http://") ? SASProtocol.HttpsAndHttp : SASProtocol.Https;
}

export function createSharedKeySigner(credential: StorageSharedKeyCredential, endpoint: string): SasSigner {
  const protocol = protocolOf(endpoint);
  return {
    sign: async (request) =>
      generateBlobSASQueryParameters(sasValues(request, protocol), credential).toString(),
  };
}

export interface DelegationSource {
  readonly service: Pick<BlobServiceClient, "getUserDelegationKey" | "accountName" | "url">;
  readonly now: () => Date;
}

export function createDelegationSigner({ service, now }: DelegationSource): SasSigner {
  const protocol = protocolOf(service.url);
  let cached: { key: Promise<UserDelegationKey>; expiresAt: number } | undefined;

  function delegationKey(neededUntil: Date): Promise<UserDelegationKey> {
    const time = now().getTime();
    if (cached && cached.expiresAt > neededUntil.getTime()) return cached.key;
    const expiresAt = Math.max(time + DELEGATION_KEY_MS, neededUntil.getTime() + CLOCK_SKEW_MS);
    const key = service.getUserDelegationKey(new Date(time - CLOCK_SKEW_MS), new Date(expiresAt));
    const entry = { key, expiresAt };
    cached = entry;
    // A refusal must not be remembered.
    key.catch(() => {
      if (cached === entry) cached = undefined;
    });
    return key;
  }

  return {
    async sign(request) {
      const key = await delegationKey(request.expiresAt);
      return generateBlobSASQueryParameters(
        sasValues(request, protocol),
        key,
        service.accountName,
      ).toString();
    },
  };
}
