/* The private MariaDB of one test program (tests/store/mariadb.sh): started at first use, gone with the program. */
#ifndef FG_TESTS_DB_SERVER_H
#define FG_TESTS_DB_SERVER_H

#include "base/conf.h"
#include "io/db.h"
#include "t.h"

/* Starts it unless it runs, and waits until it answers. */
void db_server_start(void);
/* kill -9, reaped. The data stays for the next start. */
void db_server_kill(void);
/* SIGSTOP, or its end: connections are made by the kernel, and nothing answers. */
void db_server_hang(bool hangs);
/* Its folder, short enough for more sockets. */
const char *db_server_dir(void);

/* A test's world: the wall clock is fake, time limits are real, and the configuration is the default one with
 * this server's socket, its owner, and a schema of the test's own (not made yet). */
void db_server_begin(struct t_world *w, struct conf *conf);

/* Waits for a condition; fails the test when it does not come true in time. */
void db_server_await(bool (*is_so)(void *arg), void *arg, const char *why);

#endif
