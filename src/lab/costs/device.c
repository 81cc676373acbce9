/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"
#include "failure.h"

/* Intel 82574 datasheet, chapter 10: receive queue 0, cause RxQ0, vector 0. */
#define REGISTERS_SIZE 0x20000
#define INTERRUPT_MASK_SET 0xd0
#define AUTO_CLEAR 0xdc
#define VECTOR_ALLOCATION 0xe4
#define RX_QUEUE_0_IS_VECTOR_0 0x8
#define THROTTLE_VECTOR_0 0xe8

static int
need(int result, const char *what)
{
	if (result < 0)
		die("%s", what);
	return result;
}

static int
open_group(const char *address)
{
	char link[PATH_MAX], target[PATH_MAX], path[PATH_MAX];
	ssize_t length;

	snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s/iommu_group",
			address);
	length = need(readlink(link, target, sizeof(target) - 1), link);
	target[length] = '\0';
	snprintf(path, sizeof(path), "/dev/vfio/%s", strrchr(target, '/') + 1);
	return need(open(path, O_RDWR | O_CLOEXEC), path);
}

static void
become_bus_master(const struct device *device)
{
	struct vfio_region_info config = {
		.argsz = sizeof(config),
		.index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

	need(ioctl(device->fd, VFIO_DEVICE_GET_REGION_INFO, &config),
			"configuration space");
	if (pwrite(device->fd, &command, sizeof(command),
			config.offset + PCI_COMMAND) != sizeof(command))
		die("PCI command register");
}

static void
map_registers(struct device *device)
{
	struct vfio_region_info bar = {
		.argsz = sizeof(bar),
		.index = VFIO_PCI_BAR0_REGION_INDEX,
	};
	void *registers;

	need(ioctl(device->fd, VFIO_DEVICE_GET_REGION_INFO, &bar), "BAR 0");
	registers = mmap(NULL, REGISTERS_SIZE, PROT_READ | PROT_WRITE,
			MAP_SHARED, device->fd, bar.offset);
	if (registers == MAP_FAILED)
		die("BAR 0");
	device->registers = registers;
}

static void
signal_by_msix(const struct device *device, int eventfd)
{
	struct {
		struct vfio_irq_set set;
		int32_t fd;
	} irqs = {
		.set = {
			.argsz = sizeof(irqs),
			.flags = VFIO_IRQ_SET_DATA_EVENTFD |
				VFIO_IRQ_SET_ACTION_TRIGGER,
			.index = VFIO_PCI_MSIX_IRQ_INDEX,
			.count = 1,
		},
		.fd = eventfd,
	};

	need(ioctl(device->fd, VFIO_DEVICE_SET_IRQS, &irqs), "MSI-X");
}

static void
steer(const char *address, int cpu)
{
	char path[PATH_MAX];
	struct dirent *entry;
	FILE *affinity;
	DIR *irqs;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/msi_irqs", address);
	irqs = opendir(path);
	if (irqs == NULL)
		die("%s", path);
	while ((entry = readdir(irqs)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/irq/%s/smp_affinity_list",
				entry->d_name);
		affinity = fopen(path, "w");
		if (affinity == NULL || fprintf(affinity, "%d\n", cpu) < 0 ||
		    fclose(affinity) != 0)
			die("%s", path);
	}
	closedir(irqs);
}

void
device_open(struct device *device, const char *address, int eventfd, int cpu)
{
	device->container = need(open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC),
			"/dev/vfio/vfio");
	device->group = open_group(address);
	need(ioctl(device->group, VFIO_GROUP_SET_CONTAINER, &device->container),
			"VFIO_GROUP_SET_CONTAINER");
	need(ioctl(device->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU),
			"VFIO_SET_IOMMU");
	device->fd = need(ioctl(device->group, VFIO_GROUP_GET_DEVICE_FD, address),
			"VFIO_GROUP_GET_DEVICE_FD");
	become_bus_master(device);
	map_registers(device);
	signal_by_msix(device, eventfd);
	steer(address, cpu);
	device->registers[VECTOR_ALLOCATION / 4] = RX_QUEUE_0_IS_VECTOR_0;
	device->registers[THROTTLE_VECTOR_0 / 4] = 0;
	device->registers[AUTO_CLEAR / 4] = DEVICE_CAUSE;
}

void
device_close(struct device *device)
{
	munmap((void *)device->registers, REGISTERS_SIZE);
	close(device->fd);
	close(device->group);
	close(device->container);
}

void
device_arm(struct device *device)
{
	device->registers[INTERRUPT_MASK_SET / 4] = DEVICE_CAUSE;
}
