#ifndef FSD_COMMON_RPC_H
#define FSD_COMMON_RPC_H

/* What fsd and fsdctl agree on about the control socket: JSON-RPC 2.0, one object a line. */

#define RPC_SOCKET_PATH "/run/fsd/control.sock"

enum {
    RPC_LINE_MAX = 1024 * 1024
}; /* of a request; answers may be longer, as far as the peer reads them */

enum { RPC_WORKERS_MAX = 64 }; /* of one pool, as `scale` takes them */

/* The code of an error answer.  From -32768 to -32600 the specification's own, the rest are fsd's. */
enum rpc_error {
    RPC_PARSE_ERROR = -32700,     /* the line is not JSON */
    RPC_INVALID_REQUEST = -32600, /* it is, but not a request */
    RPC_UNKNOWN_METHOD = -32601,
    RPC_BAD_PARAMS = -32602,
    RPC_FAILED = -32000,     /* the operation was tried and failed */
    RPC_BUSY = -32001,       /* not now: another one of its kind is running, or too many wait */
    RPC_BAD_CONFIG = -32002, /* the configuration is wrong; the message says where */
    RPC_FORBIDDEN = -32003,  /* this user may not talk to the daemon */
};

#endif
