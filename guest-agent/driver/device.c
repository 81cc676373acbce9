// SPDX-License-Identifier: GPL-2.0-only
/* /dev/vmcall: an open file is a claim; closing it, in whatever way, ends it. */
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "claim.h"
#include "device.h"
#include "halt.h"
#include "permission.h"

#define WAYS (VMCALL_WAY_YIELD | VMCALL_WAY_HALT)

static int device_open(struct inode *inode, struct file *file)
{
	struct claim *claim = kzalloc(sizeof(*claim), GFP_KERNEL);

	if (!claim)
		return -ENOMEM;
	claim_init(claim);
	file->private_data = claim;
	return 0;
}

static int device_release(struct inode *inode, struct file *file)
{
	claim_give_back(file->private_data);
	kfree(file->private_data);
	return 0;
}

static int take_vcpu(struct claim *claim, struct vmcall_take __user *user)
{
	struct vmcall_take take;
	int ret;

	if (copy_from_user(&take, user, sizeof(take)))
		return -EFAULT;
	if (!take.ways || take.ways & ~WAYS || take.reserved)
		return -EINVAL;
	if (!(take.ways & VMCALL_WAY_YIELD) != !take.doorbells)
		return -EINVAL;
	take.refusal = VMCALL_REFUSED_NOT;
	ret = claim_take(claim, &take);
	return copy_to_user(user, &take, sizeof(take)) ? -EFAULT : ret;
}

/* Field by field, for this is on the way to each halt. */
static int wait_halted(struct claim *claim, const struct vmcall_halt __user *user)
{
	struct vmcall_halt halt;

	if (!user_read_access_begin(user, sizeof(*user)))
		return -EFAULT;
	unsafe_get_user(halt.looks, &user->looks, fault);
	unsafe_get_user(halt.timeout_ns, &user->timeout_ns, fault);
	unsafe_get_user(halt.count, &user->count, fault);
	unsafe_get_user(halt.reserved, &user->reserved, fault);
	user_read_access_end();
	if (halt.count > VMCALL_LOOKS_MOST || halt.reserved)
		return -EINVAL;
	return halt_wait(claim, &halt);
fault:
	user_read_access_end();
	return -EFAULT;
}

static long device_ioctl(struct file *file, unsigned int command,
			 unsigned long arg)
{
	switch (command) {
	case VMCALL_HALT:
		return wait_halted(file->private_data, (void __user *)arg);
	case VMCALL_TAKE:
		return take_vcpu(file->private_data, (void __user *)arg);
	case VMCALL_GIVE_BACK:
		claim_give_back(file->private_data);
		return 0;
	default:
		return -ENOTTY;
	}
}

static const struct file_operations operations = {
	.owner = THIS_MODULE,
	.open = device_open,
	.release = device_release,
	.unlocked_ioctl = device_ioctl,
};

/* For "vmcall check", which sees nothing else of the host. */
static ssize_t host_yield_show(struct device *dev,
			       struct device_attribute *attribute, char *text)
{
	return sysfs_emit(text, "%d\n", permission_possible());
}
static DEVICE_ATTR_RO(host_yield);

static struct attribute *misc_attrs[] = { &dev_attr_host_yield.attr, NULL };
ATTRIBUTE_GROUPS(misc);

static struct miscdevice misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vmcall",
	.fops = &operations,
	.groups = misc_groups,
	.mode = 0660,
};

int vmcall_device_register(void)
{
	return misc_register(&misc);
}

void vmcall_device_unregister(void)
{
	misc_deregister(&misc);
}
