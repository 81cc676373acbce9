/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include <rte_vfio.h>

#include "failure.h"
#include "pci_device.h"

#define SYSFS "/sys/bus/pci/devices"

static int
read_sysfs(const struct pci_device *device, const char *file, char *text,
		size_t size)
{
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), SYSFS "/%s/%s", device->name, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, text, size - 1);
	close(fd);
	if (n < 0)
		return -1;
	text[n] = '\0';
	return 0;
}

static uint16_t
read_id(const struct pci_device *device, const char *file)
{
	char text[16];

	if (read_sysfs(device, file, text, sizeof(text)) != 0)
		return 0;
	return (uint16_t)strtoul(text, NULL, 16);
}

static void
read_kernel_driver(struct pci_device *device)
{
	char path[PATH_MAX], driver[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), SYSFS "/%s/driver", device->name);
	n = readlink(path, driver, sizeof(driver) - 1);
	if (n < 0)
		return;
	driver[n] = '\0';
	snprintf(device->kernel_driver, sizeof(device->kernel_driver), "%.31s",
		basename(driver));
}

/* Drivers of its kind carry the word in their names. */
static bool
is_vfio(const struct pci_device *device)
{
	return strstr(device->kernel_driver, "vfio") != NULL;
}

bool
pci_device_is_user_space(const struct pci_device *device)
{
	return is_vfio(device) || strcmp(device->kernel_driver, "igb_uio") == 0;
}

/* A file of this very device: a process may have several, of other programs'
 * libraries too, and nothing in a file tells which device it is.  So one more is
 * asked of DPDK's group, by name.
 */
static int
open_vfio(struct pci_device *device, struct failure *failure)
{
	int group, group_fd;

	if (rte_vfio_get_group_num(SYSFS, device->name, &group) <= 0)
		return failure_set(failure, "ENOTSUP",
			"%s has no IOMMU group", device->name);
	group_fd = rte_vfio_get_group_fd(group);
	if (group_fd < 0)
		return failure_set(failure, "EACCES",
			"DPDK has no access to IOMMU group %d of %s", group,
			device->name);
	device->vfio_fd = ioctl(group_fd, VFIO_GROUP_GET_DEVICE_FD,
			device->name);
	if (device->vfio_fd < 0)
		return failure_errno(failure, errno,
			"asking VFIO for %s: %s", device->name,
			strerror(errno));
	return 0;
}

int
pci_device_open(struct pci_device *device, const char *name,
		struct failure *failure)
{
	char path[PATH_MAX];

	memset(device, 0, sizeof(*device));
	device->vfio_fd = -1;
	snprintf(device->name, sizeof(device->name), "%s", name);
	snprintf(path, sizeof(path), SYSFS "/%s", device->name);
	if (access(path, F_OK) != 0)
		return failure_set(failure, "ENODEV",
			"port %s is no PCI device", device->name);
	device->vendor = read_id(device, "vendor");
	device->device = read_id(device, "device");
	read_kernel_driver(device);
	return is_vfio(device) ? open_vfio(device, failure) : 0;
}

enum pci_interrupt_mode
pci_device_interrupt_mode(const struct pci_device *device)
{
	enum pci_interrupt_mode mode = PCI_INTERRUPT_NONE;
	char path[PATH_MAX], text[16];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), SYSFS "/%s/msi_irqs", device->name);
	dir = opendir(path);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char file[sizeof(entry->d_name) + sizeof("msi_irqs/")];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "msi_irqs/%s", entry->d_name);
		if (read_sysfs(device, file, text, sizeof(text)) == 0)
			mode = strncmp(text, "msix", 4) == 0 ?
				PCI_INTERRUPT_MSIX : PCI_INTERRUPT_MSI;
		break;
	}
	if (dir != NULL)
		closedir(dir);
	if (mode == PCI_INTERRUPT_NONE &&
	    read_sysfs(device, "irq", text, sizeof(text)) == 0 && atoi(text) > 0)
		mode = PCI_INTERRUPT_INTX;
	return mode;
}

const char *
pci_interrupt_mode_name(enum pci_interrupt_mode mode)
{
	static const char *const names[] = {
		[PCI_INTERRUPT_NONE] = "none",
		[PCI_INTERRUPT_INTX] = "intx",
		[PCI_INTERRUPT_MSI] = "msi",
		[PCI_INTERRUPT_MSIX] = "msix",
	};

	return names[mode];
}

static uint32_t
get_le(const uint8_t *p, int bytes)
{
	uint32_t value = 0;

	while (bytes-- > 0)
		value = value << 8 | p[bytes];
	return value;
}

int
pci_device_msix_table(const struct pci_device *device, unsigned int *bar,
		uint32_t *offset, unsigned int *entries,
		struct failure *failure)
{
	uint8_t config[PCI_CFG_SPACE_SIZE];
	char path[PATH_MAX];
	unsigned int at, hops;
	uint32_t table;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), SYSFS "/%s/config", device->name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return failure_errno(failure, errno, "opening %.64s: %s", path,
			strerror(errno));
	n = pread(fd, config, sizeof(config), 0);
	close(fd);
	if (n != sizeof(config))
		return failure_set(failure, "EACCES",
			"%.64s shows no capabilities: run as root", path);

	at = config[PCI_CAPABILITY_LIST] & ~3U;
	for (hops = 0; at >= PCI_STD_HEADER_SIZEOF && hops < 48; hops++) {
		if (config[at] == PCI_CAP_ID_MSIX &&
		    at <= sizeof(config) - PCI_CAP_MSIX_SIZEOF)
			break;
		at = config[at + 1] & ~3U;
	}
	if (at < PCI_STD_HEADER_SIZEOF || hops == 48)
		return failure_set(failure, "ENOTSUP",
			"%s has no MSI-X", device->name);
	table = get_le(config + at + PCI_MSIX_TABLE, 4);
	*bar = table & PCI_MSIX_TABLE_BIR;
	*offset = table & PCI_MSIX_TABLE_OFFSET;
	*entries = (get_le(config + at + PCI_MSIX_FLAGS, 2) &
			PCI_MSIX_FLAGS_QSIZE) + 1;
	return 0;
}

/* A file and an offset in it at which a BAR can be mapped.
 * @return the file, to be closed if *owned; -1 with the failure filled in
 */
static int
bar_file(const struct pci_device *device, unsigned int bar, off_t *base,
		int *owned, struct failure *failure)
{
	struct vfio_region_info region = {
		.argsz = sizeof(region),
		.index = VFIO_PCI_BAR0_REGION_INDEX + bar,
	};
	char path[PATH_MAX];
	int fd;

	*owned = 0;
	if (device->vfio_fd >= 0) {
		if (ioctl(device->vfio_fd, VFIO_DEVICE_GET_REGION_INFO,
				&region) != 0)
			return failure_errno(failure, errno,
				"VFIO tells nothing of BAR %u: %s", bar,
				strerror(errno));
		if ((region.flags & VFIO_REGION_INFO_FLAG_MMAP) == 0)
			return failure_set(failure, "ENOTSUP",
				"VFIO does not let BAR %u of %s be mapped", bar,
				device->name);
		*base = (off_t)region.offset;
		return device->vfio_fd;
	}
	snprintf(path, sizeof(path), SYSFS "/%s/resource%u", device->name, bar);
	fd = open(path, O_RDWR | O_SYNC | O_CLOEXEC);
	if (fd < 0)
		return failure_errno(failure, errno, "opening %.64s: %s", path,
			strerror(errno));
	*base = 0;
	*owned = 1;
	return fd;
}

volatile uint8_t *
pci_device_map(const struct pci_device *device, unsigned int bar,
		uint32_t offset, size_t length, struct failure *failure)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const uint32_t start = offset & ~(uint32_t)(page - 1);
	size_t size = (offset - start + length + page - 1) & ~(page - 1);
	void *address;
	int fd, owned;
	off_t base;

	fd = bar_file(device, bar, &base, &owned, failure);
	if (fd < 0)
		return NULL;
	address = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			base + start);
	if (address == MAP_FAILED) {
		failure_errno(failure, errno, "mapping BAR %u of %s: %s", bar,
			device->name, strerror(errno));
		address = NULL;
	}
	if (owned)
		close(fd);
	return address == NULL ? NULL :
		(volatile uint8_t *)address + (offset - start);
}
