// SPDX-License-Identifier: Apache-2.0

/** What the series promises of a yield, and the case that holds it to it. */
export const cases: Readonly<Record<string, readonly string[]>> = {
  'latch set before the call': ['latch_set_before_call'],
  'ring while blocked': ['ring_while_blocked'],
  'ring while running, with no exit and no IPI': ['ring_while_running'],
  timeout: ['timeout'],
  'masks, only those bits are cleared': ['masks'],
  'several doorbells': ['several_doorbells', 'vectors_that_are_no_doorbells'],
  'interrupt with IF=0 and IF=1': ['interrupt_with_if_clear', 'interrupt_with_if_set'],
  'interrupt that comes late, and an IPI': ['interrupt_that_comes_late', 'fixed_ipi_with_if_clear'],
  NMI: ['nmi'],
  'signal and re-entry': ['signal_and_reentry', 'immediate_exit_and_reentry'],
  'permission that names doorbells, and is revoked': [
    'cpl3_doorbell_of_another_program',
    'cpl3_permission_revoked_while_off',
  ],
  'CPL3 refused unless allowed': ['cpl3_refused_unless_allowed', 'cpl3_interrupt', 'msr'],
  'KICK_CPU still refused at CPL3': ['cpl3_kick_cpu_refused'],
  'feature off': ['feature_off', 'cpuid_enforced'],
  'switch turned off mid-yield': ['switched_off_while_blocked', 'sysfs_switched_off_while_blocked'],
  'administrator has the last word': ['sysfs_has_the_last_word', 'vmm_races_with_sysfs'],
  'two switches, two capabilities': ['capability', 'capability_leaves_hardirq_alone'],
  'limits that are none': ['hardirq_max_that_is_none'],
  'numbers of the first version refused': ['old_numbers_refused'],
  'reset and INIT': ['init', 'reset_by_userspace', 'set_sregs_of_a_reset'],
  'registers and activity state': ['set_regs', 'sync_regs', 'set_mp_state', 'get_state'],
  'nested guest refused': ['nested_svm'],
  'vCPU removed': ['vcpu_removed', 'vm_destroyed_before_timeout'],
};
/** The emulated CPU is AMD's. */
export const skipped = ['vcpu_yield.nested_vmx'];
/** What must not lose a doorbell meanwhile, and the races that look for one. */
export const races = {
  'eventfd, single rings and bursts': ['eventfd_single', 'eventfd_bursts'],
  'timeouts meet doorbells': ['timeouts'],
  'two vCPUs and many doorbells': ['two_vcpus'],
  'routes rewritten while ringing': ['route_rewrite'],
  'irqfd deassigned while ringing': ['irqfd_reassign'],
  'switch set while ringing': ['switch_toggle'],
  "a ring's own time": ['ring_times'],
  'rings counted from two CPUs': ['ring_counters'],
  'ringer preempted by another ringer': ['ringer_preempted'],
  'VM destroyed while a device rings': ['vm_destroyed'],
};
