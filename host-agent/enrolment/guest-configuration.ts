// SPDX-License-Identifier: Apache-2.0
import { stringify } from 'smol-toml';

/** What a guest needs to know of its host. */
export interface GuestEnrolment {
  /** `wss://ADDRESS:PORT/guest` */
  url: string;
  domain: string;
  secret: string;
  /** Of the host's certificate, SHA-256. */
  fingerprint: string;
}

/** The guest agent's configuration file for one guest; what it leaves out has its default. */
export function guestConfiguration({ url, domain, secret, fingerprint }: GuestEnrolment): string {
  return `# Configuration of vmcall guest-agent for the domain ${domain}.
# Save it in that guest as /etc/vmcall/guest-agent.toml, readable by root alone: it holds the guest's secret.

${stringify({ host: { url, certificate_sha256: fingerprint, domain, secret } })}
# For a program of your own with vmcall-plugin.so: [application] with file_prefix = "rte" in place of this table.
[dataplane]
# The CPU that DPDK is to have, and the NIC bound to vfio-pci: as vmcall-dataplane's own EAL options.
eal_arguments = ["-l", "1", "-a", "0000:00:05.0", "--in-memory", "-m", "64"]
`;
}
