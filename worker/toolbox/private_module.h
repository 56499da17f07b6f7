#ifndef FSD_WORKER_TOOLBOX_PRIVATE_MODULE_H
#define FSD_WORKER_TOOLBOX_PRIVATE_MODULE_H

struct fsd_err;
struct jwt_module;
struct sodium_module;

/* Shared objects that lie beside the program in modules/, opened when they are first needed and kept as long as the process lives.
 * Opening one again costs a look-up.  NULL with the reason in err: it is not there, or was built for another program. */
const struct sodium_module *private_module_sodium(struct fsd_err *err);
const struct jwt_module *private_module_jwt(struct fsd_err *err);

#endif
