/**
 * Lock tokens are UUIDs. As a delivery tag they travel in the byte order of .NET's Guid, whose first three
 * groups are little-endian; in `$management` bodies they travel in plain order.
 */
export function uuidToBytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll("-", ""), "hex");
}

export function uuidFromBytes(bytes: Buffer): string {
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

export function uuidToDeliveryTag(uuid: string): Buffer {
  const bytes = uuidToBytes(uuid);
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}
