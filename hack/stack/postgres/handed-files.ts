import { closeSync, constants, openSync, statSync } from "node:fs";
import { FIRST_DESCRIPTOR } from "../../processes/part.ts";
import type { User } from "./user.ts";

/**
 * Files and folders for a program that runs as another user. Where it may not pass through the folders above
 * them (a temporary folder has mode 0700), they are opened by us and named by descriptor.
 */
export class HandedFiles {
  readonly descriptors: number[] = [];
  readonly #isNeeded: boolean;

  constructor(user: User | undefined) {
    this.#isNeeded = user !== undefined && process.platform === "linux";
  }

  /** The path by which the program finds it. */
  path(file: string): string {
    if (!this.#isNeeded) return file;
    const flags = statSync(file).isDirectory()
      ? constants.O_RDONLY | constants.O_DIRECTORY
      : constants.O_RDONLY;
    this.descriptors.push(openSync(file, flags));
    return `/proc/self/fd/${FIRST_DESCRIPTOR + this.descriptors.length - 1}`;
  }

  /** To be called when the program has been started. */
  close(): void {
    for (const descriptor of this.descriptors) closeSync(descriptor);
  }
}
