/* orch-shim SOCKET [IDLE_MS]: the fork server of one orch daemon. */
#include <stdio.h>
#include <stdlib.h>

#include "server.h"

#define IDLE_MS 30000

int main(int argc, char **argv) {
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: orch-shim SOCKET [IDLE_MS]\n");
        return 2;
    }
    return server_run(argv[1], argc > 2 ? atoi(argv[2]) : IDLE_MS);
}
