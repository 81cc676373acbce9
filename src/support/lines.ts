// SPDX-License-Identifier: Apache-2.0

/** Cuts a stream of text into lines of a bounded length. */
export class LineSplitter {
  #rest = '';

  /** @param most characters of a line, its end not counted */
  constructor(private readonly most: number) {}

  /** The lines that are whole now. @throws Error if one is too long */
  push(text: string): string[] {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > this.most || lines.some((line) => line.length > this.most)) {
      this.#rest = '';
      throw new Error(`a line of more than ${this.most} characters`);
    }
    return lines;
  }
}
