// SPDX-License-Identifier: Apache-2.0

/** Small files below a root. */
export interface Files {
  /** The file's text; null where there is none. */
  read(path: string): string | null;
  names(path: string): string[];
}

const folder = '/sys/class/powercap';

/** A counter of energy that begins again from 0 (linux: Documentation/power/powercap/powercap.rst). */
export interface Zone {
  name: string;
  /** uJ */
  file: string;
  /** uJ at which it begins again. */
  range: number;
}

export type Zones = { zones: readonly Zone[] } | { absent: string };

/**
 * The zones that make up a host: each package, and each package's memory, which is not in the former. What is part of a
 * package (core, uncore) or holds packages (psys) would be counted twice; so would the same package by MMIO.
 */
export function powercapZones(files: Files): Zones {
  const found = files
    .names(folder)
    .filter((entry) => /^intel-rapl:\d+(:\d+)?$/.test(entry))
    .map((entry) => ({ entry, name: files.read(`${folder}/${entry}/name`)?.trim() ?? '' }));
  const parts = found.filter(({ name }) => /^package-/.test(name) || name === 'dram');
  if (parts.length === 0)
    return {
      absent: `there is no RAPL package in ${folder} (a virtual machine, or intel_rapl_msr is not loaded)`,
    };
  const zones: Zone[] = [];
  for (const { entry, name } of parts) {
    const range = Number(files.read(`${folder}/${entry}/max_energy_range_uj`) ?? Number.NaN);
    const file = `${folder}/${entry}/energy_uj`;
    if (energyOf(files, file) === null || !(range > 0))
      return { absent: `${file} cannot be read: it is root's alone` };
    const parent = found.find((one) => one.entry === entry.replace(/:\d+$/, ''))?.name;
    zones.push({ name: name === 'dram' ? `dram of ${parent ?? entry}` : name, file, range });
  }
  return { zones };
}

/** uJ; null where it cannot be read. */
export function energyOf(files: Files, file: string): number | null {
  try {
    const text = files.read(file)?.trim();
    return text !== undefined && /^\d{1,20}$/.test(text) ? Number(text) : null;
  } catch {
    return null;
  }
}
