// SPDX-License-Identifier: Apache-2.0

/** A command of docs/deploy.md. */
export interface Step {
  /** The heading above it. */
  title: string;
  side: 'host' | 'guest';
  command: string;
  /** What `<!-- needs: ... -->` above its block says, e.g. `kvm`. */
  needs: string | undefined;
}

/** The commands of the blocks of a document, in order: lines that begin with `host# ` or `guest# `. */
export function stepsOf(document: string): Step[] {
  const steps: Step[] = [];
  let title = '';
  let needs: string | undefined;
  let inBlock = false;
  for (const line of document.split('\n')) {
    if (line.startsWith('```')) {
      inBlock = !inBlock;
      if (!inBlock) needs = undefined;
    } else if (inBlock) {
      const [, side, command] = /^(host|guest)# (.+)$/.exec(line) ?? [];
      if (side === undefined || command === undefined)
        throw new Error(`a line of a block under "${title}" is neither host# nor guest#: ${line}`);
      steps.push({ title, side: side as Step['side'], command, needs });
    } else {
      title = /^## (.+)$/.exec(line)?.[1] ?? title;
      needs = /^<!-- needs: ([a-z-]+) -->$/.exec(line)?.[1] ?? needs;
    }
  }
  return steps;
}
