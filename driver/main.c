// SPDX-License-Identifier: GPL-2.0-only
/* The module, /dev/jailhouse and its ioctls. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/uaccess.h>

#include "abi/hypercall.h"
#include "arch.h"
#include "driver.h"

struct driver driver = {
	.lock = __MUTEX_INITIALIZER(driver.lock),
	.alive = __RWSEM_INITIALIZER(driver.alive),
	.cell_list = LIST_HEAD_INIT(driver.cell_list),
};

int refuse(char *error, int number, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vscnprintf(error, ABI_DRIVER_ERROR_SIZE, format, arguments);
	va_end(arguments);
	return -number;
}

/* ENODEV means "not enabled" to the command; the hypervisor means the machine. */
static int error_number(long result)
{
	switch (-result) {
	case ABI_ENODEV:
	case ABI_ENOSYS:
		return EOPNOTSUPP;
	default:
		return result < -MAX_ERRNO ? EIO : (int)-result;
	}
}

int hypervisor_error(const struct abi_log *log, long result, char *error)
{
	size_t n;

	for (n = 0; log && n < sizeof(log->error) - 1; n++) {
		char c = READ_ONCE(log->error[n]);

		if (!c)
			break;
		error[n] = c >= ' ' && c <= '~' ? c : '?';
	}
	error[n] = 0;
	if (!n)
		refuse(error, EIO, "the hypervisor gave no reason (error %ld): see jailhouse console",
		       result);
	pr_err("hypervisor: %s\n", error);
	return -error_number(result);
}
static_assert(sizeof_field(struct abi_log, error) <= ABI_DRIVER_ERROR_SIZE, "error is not cut");

long hypervisor_call(unsigned long number, unsigned long first, unsigned long second,
		     char *error)
{
	long result = arch_hypercall(number, first, second);

	if (result >= 0 || result == -ABI_EAGAIN)
		return result;
	return hypervisor_error(driver.log.rings.log, result, error);
}

long hypervisor_ask(unsigned long number, unsigned long first, unsigned long second)
{
	long result = -ABI_ENODEV;

	down_read(&driver.alive);
	if (driver.enabled)
		result = arch_hypercall(number, first, second);
	up_read(&driver.alive);
	return result;
}

/* What overlaps or belongs to somebody else is wrong in the file, not busy for a while. */
int configuration_error(long result)
{
	return result == -EBUSY || result == -EPERM ? -EINVAL : (int)result;
}

union request {
	struct abi_drv_config config;
	struct abi_drv_load load;
	struct abi_drv_cell cell;
	struct abi_drv_none none;
};

static int act_enable(union request *r, struct file *file)
{
	return enable(&r->config, r->config.error);
}

static int act_disable(union request *r, struct file *file)
{
	return disable(r->none.error);
}

static int act_create(union request *r, struct file *file)
{
	return cell_create(&r->config, r->config.error);
}

static int act_load(union request *r, struct file *file)
{
	return cell_load(&r->load, r->load.cell.error);
}

static int act_start(union request *r, struct file *file)
{
	return cell_start(&r->cell, r->cell.error);
}

static int act_shutdown(union request *r, struct file *file)
{
	return cell_shutdown(&r->cell, r->cell.error);
}

static int act_destroy(union request *r, struct file *file)
{
	return cell_destroy(&r->cell, r->cell.error);
}

static int act_console(union request *r, struct file *file)
{
	return log_attach_cell(file, &r->cell, r->cell.error);
}

struct action {
	unsigned int command;
	size_t error;		/* where in the request */
	bool when_enabled;
	int (*act)(union request *r, struct file *file);
};

static const struct action actions[] = {
	{ ABI_DRV_ENABLE, offsetof(struct abi_drv_config, error), false, act_enable },
	{ ABI_DRV_DISABLE, offsetof(struct abi_drv_none, error), true, act_disable },
	{ ABI_DRV_CELL_CREATE, offsetof(struct abi_drv_config, error), true, act_create },
	{ ABI_DRV_CELL_LOAD, offsetof(struct abi_drv_load, cell.error), true, act_load },
	{ ABI_DRV_CELL_START, offsetof(struct abi_drv_cell, error), true, act_start },
	{ ABI_DRV_CELL_SHUTDOWN, offsetof(struct abi_drv_cell, error), true, act_shutdown },
	{ ABI_DRV_CELL_DESTROY, offsetof(struct abi_drv_cell, error), true, act_destroy },
	{ ABI_DRV_CELL_CONSOLE, offsetof(struct abi_drv_cell, error), true, act_console },
};

static int act_locked(const struct action *a, union request *r, struct file *file, char *error)
{
	int err;

	if (mutex_lock_killable(&driver.lock))
		return -EINTR;
	if (a->when_enabled && !driver.enabled)
		err = refuse(error, ENODEV,
			     "the hypervisor is not enabled: jailhouse enable SYSTEM.cell first");
	else
		err = a->act(r, file);
	mutex_unlock(&driver.lock);
	return err;
}

static long device_ioctl(struct file *file, unsigned int command, unsigned long address)
{
	void __user *user = (void __user *)address;
	const struct action *a;
	union request r;
	char *error;
	int err;

	for (a = actions; a < actions + ARRAY_SIZE(actions); a++)
		if (a->command == command)
			break;
	if (a == actions + ARRAY_SIZE(actions))
		return -ENOTTY;
	if (copy_from_user(&r, user, _IOC_SIZE(command)))
		return -EFAULT;
	error = (char *)&r + a->error;
	memset(error, 0, ABI_DRIVER_ERROR_SIZE);
	err = act_locked(a, &r, file, error);
	if (err && copy_to_user(user + a->error, error, ABI_DRIVER_ERROR_SIZE))
		return -EFAULT;
	return err;
}

static const struct file_operations device_operations = {
	.owner = THIS_MODULE,
	.open = log_open,
	.release = log_release,
	.read = log_read,
	.write = log_write,
	.poll = log_poll,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static int __init module_start(void)
{
	int err;

	log_init(&driver.log);
	err = sysfs_init();
	if (err)
		return err;
	driver.misc.minor = MISC_DYNAMIC_MINOR;
	driver.misc.name = "jailhouse";
	driver.misc.fops = &device_operations;
	driver.misc.mode = 0600;
	err = misc_register(&driver.misc);
	if (err)
		sysfs_exit();
	return err;
}

/* Not reached while enabled: enable() holds a reference to the module. */
static void __exit module_end(void)
{
	misc_deregister(&driver.misc);
	sysfs_exit();
	log_exit(&driver.log);
}

module_init(module_start);
module_exit(module_end);

MODULE_DESCRIPTION("Manages the cells of a static partitioning hypervisor");
MODULE_LICENSE("GPL");
MODULE_FIRMWARE("jailhouse.bin");
