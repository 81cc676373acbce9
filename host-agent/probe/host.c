/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cpu_flags.h"
#include "failure.h"
#include "host.h"

/* The first line of a file. @return false if it cannot be read */
static bool
read_line(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	bool read;

	if (file == NULL)
		return false;
	read = fgets(text, (int)size, file) != NULL;
	fclose(file);
	if (read)
		text[strcspn(text, "\n")] = '\0';
	return read;
}

static bool
is_on(const char *path)
{
	char text[16];

	return read_line(path, text, sizeof(text)) &&
		(text[0] == 'Y' || text[0] == '1');
}

static void __attribute__((format(printf, 2, 3)))
note(struct host *host, const char *format, ...)
{
	va_list args;

	if (host->note_count == HOST_NOTES)
		return;
	va_start(args, format);
	vsnprintf(host->notes[host->note_count++], sizeof(host->notes[0]),
		format, args);
	va_end(args);
}

static void
read_cpu_name(struct host *host)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256];

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "model name", 10) == 0 && strchr(line, ':')) {
			line[strcspn(line, "\n")] = '\0';
			snprintf(host->cpu, sizeof(host->cpu), "%.100s",
				strchr(line, ':') + 2);
			break;
		}
	if (file != NULL)
		fclose(file);
}

static void
look_for_obstacles(struct host *host)
{
	char text[64];

	if (read_line("/sys/module/kvm/parameters/halt_poll_ns", text, sizeof(text)) &&
	    strcmp(text, "0") != 0)
		note(host, "kvm.halt_poll_ns is %s: a halted vCPU keeps its CPU so long; a guest with our driver declines it for its own vCPU", text);
	if (host->is_preempt_rt)
		note(host, "PREEMPT_RT: VFIO's handler runs in a thread, which adds to each wake by a device (the series' irqfd_hardirq takes it away)");
	if (host->posts)
		note(host, "APICv or AVIC is on: an interrupt for a running vCPU is posted; a halted one is woken as measured here");
	if (host->is_virtual)
		note(host, "this host is a virtual machine: each exit is taken twice");
	if (read_line("/sys/devices/system/cpu/cpuidle/current_driver", text,
			sizeof(text)) && strcmp(text, "none") != 0 &&
	    strcmp(text, "haltpoll") != 0)
		note(host, "cpuidle's driver is %s: a deep C-state of the vCPU's CPU adds its exit latency (vmcall check)", text);
	note(host, "a VM with -overcommit cpu-pm=on halts without an exit: no PV kick wakes it there");
}

void
host_read(struct host *host)
{
	struct utsname name;

	memset(host, 0, sizeof(*host));
	if (uname(&name) == 0)
		snprintf(host->kernel, sizeof(host->kernel), "%.60s %.60s",
			name.release, name.machine);
	snprintf(host->cpu, sizeof(host->cpu), "unknown");
	read_cpu_name(host);
	host->is_virtual = cpu_flag("hypervisor");
	host->is_preempt_rt = is_on("/sys/kernel/realtime");
	host->posts = is_on("/sys/module/kvm_intel/parameters/enable_apicv") ||
		is_on("/sys/module/kvm_amd/parameters/avic");
	look_for_obstacles(host);
}
