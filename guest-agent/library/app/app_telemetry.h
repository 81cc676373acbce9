/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) the vmcall authors
 */
#ifndef APP_TELEMETRY_H
#define APP_TELEMETRY_H

/** Register the commands /vmcall/...: those of vmcall-dataplane, and lcores. */
void app_telemetry_register(void);

#endif /* APP_TELEMETRY_H */
