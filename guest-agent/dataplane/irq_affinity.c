/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failure.h"
#include "irq_affinity.h"
#include "pci_device.h"

static int
open_list(unsigned int irq, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/irq/%u/smp_affinity_list", irq);
	return open(path, flags | O_CLOEXEC);
}

/* @return 0 or an errno value */
static int
write_and_close(int fd, const char *text)
{
	int error = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		error = errno;
	close(fd);
	return error;
}

static int
write_list(unsigned int irq, const char *list)
{
	return write_and_close(open_list(irq, O_WRONLY), list);
}

static int
read_list(unsigned int irq, char *list, size_t size)
{
	int fd = open_list(irq, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return errno;
	n = read(fd, list, size - 1);
	close(fd);
	if (n <= 0)
		return EIO;
	list[n] = '\0';
	list[strcspn(list, "\n")] = '\0';
	return 0;
}

static int
move_irq(struct irq_affinity *affinity, unsigned int irq, const char *list,
		struct failure *failure)
{
	unsigned int i = affinity->count;
	int error;

	if (i == IRQ_AFFINITY_MAX)
		return failure_set(failure, "E2BIG",
			"more than %d interrupts; the others stay where they are",
			IRQ_AFFINITY_MAX);
	error = read_list(irq, affinity->changed[i].before,
			sizeof(affinity->changed[i].before));
	/* Even a move to where it is makes the kernel write the entry again when
	 * it next fires, and a host then sets the vector up again: milliseconds.
	 */
	if (error == 0 && strcmp(affinity->changed[i].before, list) == 0)
		return 0;
	if (error == 0)
		error = write_list(irq, list);
	if (error != 0)
		return failure_errno(failure, error,
			"moving interrupt %u to CPU %s: %s", irq, list,
			strerror(error));
	affinity->changed[i].irq = irq;
	affinity->count++;
	return 0;
}

int
irq_affinity_set(struct irq_affinity *affinity,
		const struct pci_device *device, unsigned int cpu,
		struct failure *failure)
{
	struct dirent *entry;
	char path[PATH_MAX];
	char list[16];
	int ret = 0;
	DIR *dir;

	affinity->count = 0;
	snprintf(list, sizeof(list), "%u", cpu);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/msi_irqs",
		device->name);
	dir = opendir(path);
	if (dir == NULL)
		return failure_set(failure, "ENOENT",
			"%s has no MSI interrupts to move", device->name);
	while (ret == 0 && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			ret = move_irq(affinity,
				(unsigned int)atoi(entry->d_name), list,
				failure);
	closedir(dir);
	return ret;
}

void
irq_affinity_restore(struct irq_affinity *affinity)
{
	unsigned int i;

	/* An interrupt that is gone by now needs nothing. */
	for (i = 0; i < affinity->count; i++)
		write_list(affinity->changed[i].irq,
			affinity->changed[i].before);
	affinity->count = 0;
}
