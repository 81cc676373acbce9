// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { type DesiredPath, desiredPathSchema } from '../../src/protocol/fields.js';

/** The namespace of our element in a domain's `<metadata>`, and the prefix it is written with. */
export const metadataUri = 'urn:vmcall:domain:1';
export const metadataPrefix = 'vmcall';

const desiredSchema = z.strictObject({ path: desiredPathSchema });

const charactersMost = 4096;
const element = /^\s*<desired((?:\s+[\w:.-]+=(?:"[^"<]*"|'[^'<]*'))*)\s*(?:\/>|>\s*<\/desired>)\s*$/;
const attribute = /([\w:.-]+)=(?:"([^"<]*)"|'([^'<]*)')/g;

/** The element as virDomainSetMetadata wants it: without its namespace. */
export function formatDesired(path: DesiredPath): string {
  return `<desired path='${desiredPathSchema.parse(path)}'/>`;
}

/**
 * Reads `<desired path="..."/>`. libvirt hands the element out as libxml2 writes it, without its namespace: one form for
 * all the ways to write it (libvirt: src/util/virxml.c, virXMLExtractNamespaceXML).
 * @returns the path, or what is wrong with the element, for people
 */
export function parseDesired(xml: string): { path: DesiredPath } | { problem: string } {
  const words = xml.length > charactersMost ? null : element.exec(xml);
  if (!words)
    return { problem: `${shown(xml)} is not <desired path="${desiredPathSchema.options.join('|')}"/>` };
  const pairs = [...(words[1] ?? '').matchAll(attribute)].map(
    ([, name = '', double, single]) => [name, double ?? single ?? ''] as const,
  );
  const parsed = desiredSchema.safeParse(Object.fromEntries(pairs));
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0] ?? { path: [], message: '' };
  return { problem: `${shown(xml)}: ${path.join('.') || 'desired'}: ${shown(message)}` };
}

/** What anybody may have written there, cut to a length that fits a message. */
const shown = (text: string) => text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, 120);
