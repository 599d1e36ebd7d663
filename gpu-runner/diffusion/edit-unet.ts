/** What is changed in a UNet's file before it is opened, each edit in a file of its own. Pure. */
import { fuseAttention } from "./fuse-attention.ts";
import { editGraph } from "./onnx-edit.ts";
import { shareLatents } from "./share-latents.ts";
import { splitGates } from "./split-gates.ts";
import { upsampleSmall } from "./upsample-small.ts";

/** The same network, faster; the very same file where nothing of it is known. @throws {RangeError} */
export const editUnet = (file: Uint8Array): Uint8Array =>
  editGraph(file, [fuseAttention, splitGates, upsampleSmall, shareLatents]);
