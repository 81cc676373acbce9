/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef TELEMETRY_SERVE_H
#define TELEMETRY_SERVE_H

/**
 * Answer telemetry commands that come line by line from a character device,
 * each reply one line of JSON, without end.  The device is a virtio-serial
 * port or a terminal; the DPDK program may start later and restart.
 *
 * @param device path of the character device, "-" for standard input and
 *	output, which may end
 * @param socket path of the telemetry socket
 * @return 0 at the end of standard input, -1 after a message on stderr
 */
int telemetry_serve(const char *device, const char *socket);

#endif /* TELEMETRY_SERVE_H */
