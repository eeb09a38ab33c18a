/* The fork server: starts processes for the daemon, whose own fork would block its event loop. */
#ifndef ORCH_SERVER_H
#define ORCH_SERVER_H

/*
 * Serves the unix socket at `path` until told to shut down, or until nobody was connected for
 * `idle_ms` and no program runs. Prints "ready" on standard output once it listens. Returns the
 * exit code of the process; 3 when another server holds the socket.
 */
int server_run(const char *path, int idle_ms);

#endif
