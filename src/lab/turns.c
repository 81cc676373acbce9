// SPDX-License-Identifier: Apache-2.0
/*
 * Under the instruction clock the emulator runs one virtual CPU until it halts, executes PAUSE, or comes to the next
 * timer event; a later CPU gets nothing of a turn that ends in the last way. Linux before 6.5 waits for a starting
 * CPU in a loop around schedule(), without PAUSE (linux: do_boot_cpu() in arch/x86/kernel/smpboot.c), i.e. forever.
 * Beside this program, on the same CPU, it does not.
 */
#include <sched.h>
#include <stdio.h>
#include <time.h>

/* Short, so that little is waited for; most of the time is left to who waits. */
#define BETWEEN_TURNS_NS 100000

int main(void)
{
	const struct timespec between = { .tv_nsec = BETWEEN_TURNS_NS };
	const struct sched_param param = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_FIFO, &param) != 0) {
		perror("turns: SCHED_FIFO");
		return 1;
	}
	for (;;) {
		nanosleep(&between, NULL);
		__builtin_ia32_pause();
	}
}
