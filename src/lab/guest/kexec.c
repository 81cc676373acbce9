/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vmcall-kexec KERNEL INITRAMFS: boots another kernel from this one, with the
 * same command line and without a word to any program, for the lab.
 */
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	char line[4096] = "";
	int kernel, initramfs;
	FILE *file;

	if (argc != 3)
		return 2;
	kernel = open(argv[1], O_RDONLY);
	initramfs = open(argv[2], O_RDONLY);
	file = fopen("/proc/cmdline", "r");
	if (kernel < 0 || initramfs < 0 || file == NULL ||
	    fgets(line, sizeof(line), file) == NULL) {
		perror("files");
		return 1;
	}
	line[strcspn(line, "\n")] = '\0';
	if (syscall(SYS_kexec_file_load, kernel, initramfs, strlen(line) + 1,
			line, 0UL) != 0) {
		perror("kexec_file_load");
		return 1;
	}
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		LINUX_REBOOT_CMD_KEXEC, NULL);
	perror("reboot");
	return 1;
}
