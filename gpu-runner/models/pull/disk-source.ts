import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { PullError, type Source } from "./source-file.ts";

/** Files of a folder on this machine, or on a share. */
export function diskSource(folder: string): Source {
  return {
    async open(path) {
      const whole = join(folder, path);
      if (!(await stat(folder).catch(() => undefined))?.isDirectory()) {
        throw new PullError(`there is no folder ${folder}`);
      }
      const found = await stat(whole).catch(() => undefined);
      if (!found?.isFile()) return undefined;
      return {
        bytes: found.size,
        validator: `${found.size} ${found.mtimeMs}`,
        read: (from) => createReadStream(whole, { start: from }),
      };
    },
  };
}
