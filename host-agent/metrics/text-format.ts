// SPDX-License-Identifier: Apache-2.0
/** Series with one name (Prometheus: Exposition formats, Text-based format). */
export interface Family {
  name: string;
  type: 'gauge' | 'counter' | 'histogram';
  help: string;
}

/** What stands before a family's series. */
export function familyHead({ name, type, help }: Family): string {
  return `# HELP ${name} ${escapeLine(help)}\n# TYPE ${name} ${type}\n`;
}

/** @param labels with values of any characters; their names are taken as they are */
export function seriesLine(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const words = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}{${words.join(',')}} ${value}\n`;
}

const escapeLine = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
const escapeLabel = (text: string) => (/["\\\n]/.test(text) ? escapeLine(text).replaceAll('"', '\\"') : text);
